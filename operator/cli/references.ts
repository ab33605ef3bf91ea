// The data of the ConfigMaps and Secrets that components refer to, as digests: enough to name a revision, and nothing is kept or shown.
import {
  InvalidSpecError,
  withDefaults,
  type AssistantDeploymentSpec,
  type ResolvedSpec,
} from '@assistant-platform/api';
import { digest, referencesOfAll } from '@assistant-platform/operator/rollout';
import { explain } from './assistants.ts';
import type { References } from './plan/effects.ts';
import { rawGet } from './raw.ts';
import type { Session } from './session.ts';

const TIMEOUT_MS = 10_000;

/** The part of a ConfigMap or Secret that is read. */
interface Contents {
  readonly data?: unknown;
  readonly binaryData?: unknown;
}

/** A spec with its defaults; null where it is stored in a form that this version cannot read. */
export function resolvedOrNull(spec: AssistantDeploymentSpec): ResolvedSpec | null {
  try {
    return withDefaults(spec);
  } catch (error) {
    if (error instanceof InvalidSpecError) return null;
    throw error;
  }
}

/** `ConfigMap/name` and `Secret/name` of all that a spec refers to; null where this version cannot read it. */
export function referencesIn(spec: AssistantDeploymentSpec): readonly string[] | null {
  const resolved = resolvedOrNull(spec);
  return resolved === null ? null : referencesOfAll(resolved.components);
}

/**
 * Digests as the operator makes them (operator/controller/references.ts), of everything that one of the specs refers to.
 * @returns null when one of them may not be read, or a spec cannot.
 */
export async function readReferences(session: Session, specs: readonly AssistantDeploymentSpec[]): Promise<References> {
  const lists = specs.map(referencesIn);
  const readable = lists.filter((list) => list !== null);
  if (readable.length < lists.length) return null;
  const names = [...new Set(readable.flat())];
  const digests = await Promise.all(names.map(async (name) => [name, await digestOf(session, name)] as const));
  const known = digests.filter((entry): entry is readonly [string, string | null] => entry[1] !== undefined);
  return known.length === digests.length ? Object.fromEntries(known) : null;
}

/** Null when it does not exist; undefined when it may not be read. */
async function digestOf(session: Session, reference: string): Promise<string | null | undefined> {
  const [kind, name = ''] = reference.split('/');
  const plural = kind === 'ConfigMap' ? 'configmaps' : 'secrets';
  const path = `/api/v1/namespaces/${session.namespace}/${plural}/${encodeURIComponent(name)}`;
  const { code, body } = await rawGet(session, path, { timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
    throw explain(error, session);
  });
  if (code === 404) return null;
  if (code !== 200) return undefined;
  const { data, binaryData } = JSON.parse(body) as Contents;
  return kind === 'ConfigMap' ? digest({ data, binaryData }, 16) : digest(data, 16);
}
