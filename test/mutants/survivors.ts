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

export const SURVIVORS: readonly Explanation[] = [
  {
    file: 'analysis/judge.ts',
    operator: 'constant',
    from: "const { failures = 0, checks = 0, message = '' } = entry;",
    to: "const { failures = 1, checks = 0, message = '' } = entry;",
    why: 'only read of an entry that fails, and that has its count',
  },
  {
    file: 'analysis/sequential-test.ts',
    operator: 'boundary',
    from: 'const refuted = (ratio: number): boolean => bestLikelihood(ratio, update, stable) <= atMost;',
    to: 'const refuted = (ratio: number): boolean => bestLikelihood(ratio, update, stable) < atMost;',
    why: 'a likelihood that is equal to the limit to the last bit is a single ratio of all, and the bisection ends beside it either way',
  },
  {
    file: 'analysis/sequential-test.ts',
    operator: 'constant',
    from: 'if (a === 0) return 0;',
    to: 'if (a === 0) return 1;',
    why: 'without any trials both likelihoods are 0 whatever the rate',
  },
  {
    file: 'analysis/sequential-test.ts',
    operator: 'constant',
    from: 'if (a === 0) return 0;',
    to: 'if (a === 1) return 0;',
    why: 'without any trials both likelihoods are 0 whatever the rate; and no ratio that is looked at makes it 1 to the last bit',
  },
  {
    file: 'revision.ts',
    operator: 'default',
    from: 'const content = references[reference] ?? null;',
    to: 'const content = (references[reference])!;',
    why: 'a record is made only when everything that is referred to is there',
  },
  {
    file: 'analysis/sequential-test.ts',
    operator: 'early return',
    from: 'if (a === 0) return 0;',
    to: '',
    why: 'without any trials both likelihoods are 0 whatever the rate, also for the 0/0 that would come out',
  },
  {
    file: 'converge.ts',
    operator: 'boundary',
    from: '.sort(([a], [b]) => (a < b ? -1 : 1))',
    to: '.sort(([a], [b]) => (a <= b ? -1 : 1))',
    why: 'keys of a map are never equal',
  },
  {
    file: 'drain.ts',
    operator: 'boundary',
    from: 'pods.toSorted((a, b) => removalClass(a) - removalClass(b) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1));',
    to: 'pods.toSorted((a, b) => removalClass(a) - removalClass(b) || b.createdAt - a.createdAt || (a.name <= b.name ? -1 : 1));',
    why: 'names of pods are never equal',
  },
  {
    file: 'drain.ts',
    operator: 'constant',
    from: "!pod.running || !pod.ready ? -1 : pod.sessions.kind === 'known' ? pod.sessions.open : Number.MAX_SAFE_INTEGER;",
    to: "!pod.running || !pod.ready ? -0 : pod.sessions.kind === 'known' ? pod.sessions.open : Number.MAX_SAFE_INTEGER;",
    why: 'sorted by removalOrder before, which has these pods in front of ready ones, and the sort keeps that order among equals',
  },
  {
    file: 'facts.ts',
    operator: 'boundary',
    from: 'const mine = (pods.get(key) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));',
    to: 'const mine = (pods.get(key) ?? []).toSorted((a, b) => (a.name <= b.name ? -1 : 1));',
    why: 'names of pods are never equal',
  },
  {
    file: 'decide.ts',
    operator: 'boundary',
    from: 'for (let moves = 0; moves < MOVES_AT_MOST; moves++) {',
    to: 'for (let moves = 0; moves <= MOVES_AT_MOST; moves++) {',
    why: 'the bound only ends rules that undo each other, which is a bug after one move more as well',
  },
  {
    file: 'supersede.ts',
    operator: 'default',
    from: 'const next = atOnce || !reached ? 0 : (LADDER.find((share) => share < carried) ?? 0);',
    to: 'const next = atOnce || !reached ? 0 : ((LADDER.find((share) => share < carried))!);',
    why: 'the ladder ends at 0, so that something is found while anything is carried',
  },
  {
    file: 'status.ts',
    operator: 'default',
    from: "reason: paused ? (reasons[0] ?? 'Paused') : 'NotPaused',",
    to: "reason: paused ? ((reasons[0])!) : 'NotPaused',",
    why: 'the phase is Paused by one of the reasons only, so there is a first one',
  },
  {
    file: 'converge.ts',
    operator: 'constant',
    from: '.sort(([a], [b]) => (a < b ? -1 : 1))',
    to: '.sort(([a], [b]) => (a < b ? -1 : 0))',
    why: 'keys of a map are never equal, and the sort asks only which of two is less',
  },
  {
    file: 'drain.ts',
    operator: 'constant',
    from: 'pods.toSorted((a, b) => removalClass(a) - removalClass(b) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1));',
    to: 'pods.toSorted((a, b) => removalClass(a) - removalClass(b) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 0));',
    why: 'names of pods are never equal, and the sort asks only which of two is less',
  },
  {
    file: 'facts.ts',
    operator: 'constant',
    from: 'const mine = (pods.get(key) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));',
    to: 'const mine = (pods.get(key) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 0));',
    why: 'names of pods are never equal, and the sort asks only which of two is less',
  },
  {
    file: 'analysis/sequential-test.ts',
    operator: 'constant',
    from: 'if (update.events === 0) return stable.events === 0 ? 1 : RATIO_AT_LEAST;',
    to: 'if (update.events === 0) return stable.events === 0 ? 0 : RATIO_AT_LEAST;',
    why: 'without any event no ratio is refuted, and the best one is not used',
  },
  {
    file: 'drain.ts',
    operator: 'literal',
    from: "const PHASES: readonly Pod['phase'][] = ['Unscheduled', 'Pending', 'Running'];",
    to: "const PHASES: readonly Pod['phase'][] = ['Pending', 'Pending', 'Running'];",
    why: 'what is not in the list stands before all that is, as the first of it does',
  },
  {
    file: 'decide.ts',
    operator: 'constant',
    from: 'const MOVES_AT_MOST = 100;',
    to: 'const MOVES_AT_MOST = 99;',
    why: 'the bound only ends rules that undo each other, which is a bug after one move less as well',
  },
  {
    file: 'decide.ts',
    operator: 'constant',
    from: 'for (let moves = 0; moves < MOVES_AT_MOST; moves++) {',
    to: 'for (let moves = 1; moves < MOVES_AT_MOST; moves++) {',
    why: 'the bound only ends rules that undo each other, which is a bug after one move less as well',
  },
  {
    file: 'supersede.ts',
    operator: 'constant',
    from: 'const next = atOnce || !reached ? 0 : (LADDER.find((share) => share < carried) ?? 0);',
    to: 'const next = atOnce || !reached ? 0 : (LADDER.find((share) => share < carried) ?? 1);',
    why: 'the ladder ends at 0, so that something is found while anything is carried',
  },
  {
    file: 'analysis/judge.ts',
    operator: 'default',
    from: "message: message ?? '',",
    to: 'message: (message)!,',
    why: 'every entry is made with a message; the stored ones are optional by their type alone',
  },
];

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
