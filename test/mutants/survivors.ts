// Mutants that no harness can catch, because they do the same as the original: each with the reason. Keyed by the words of the source, so that an
// explanation holds when lines move, and is an error when the code that it explains is no longer there.
import type { Change, Operator, Site } from './sites.ts';

export interface Explanation extends Change {
  /** Relative to operator/rollout. */
  readonly file: string;
  readonly operator: Operator;
  /** Why nobody could tell the difference. */
  readonly why: string;
}

export const SURVIVORS: readonly Explanation[] = [];

/** A site with its change in words. */
export type WordedSite = Pick<Site, 'file' | 'operator'> & Change;

const explains = (explanation: Explanation, site: WordedSite): boolean =>
  explanation.file === site.file &&
  explanation.operator === site.operator &&
  explanation.from === site.from &&
  explanation.to === site.to;

/** Why this mutant may survive; null when nothing excuses it. */
export const excuseOf = (site: WordedSite, explanations: readonly Explanation[]): string | null =>
  explanations.find((explanation) => explains(explanation, site))?.why ?? null;

/** Explanations of code that is no longer there. */
export const staleExplanations = (
  explanations: readonly Explanation[],
  sites: readonly WordedSite[],
): readonly Explanation[] => explanations.filter((explanation) => !sites.some((site) => explains(explanation, site)));
