// What a mistake is, and how the specimens make one.
import type { AssistantDeployment } from '../assistant-deployment.ts';
import { canaryObject, changed, type Loose } from './base.ts';

/** One mistake. */
export interface InvalidSpecimen {
  readonly title: string;
  readonly object: Loose;
  /** Path of the field in the message of the API server. */
  readonly field: string;
  /** What the message must say about the way out. */
  readonly remedy: RegExp;
}

const canary = canaryObject();

/** A complete object with something changed in it. */
export const mistake = (
  title: string,
  field: string,
  remedy: RegExp,
  changes: Readonly<Record<string, unknown>>,
  original: AssistantDeployment = canary,
): InvalidSpecimen => ({ title, field, remedy, object: changed(original, ...Object.entries(changes)) });
