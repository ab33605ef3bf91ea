// Draws mutants by seed, in strata: every operator and every file gets one before the rest is drawn from all sites alike.
import type { Chance } from '../simulator/random.ts';
import type { Operator, Site } from './sites.ts';

/** Why a site that was drawn is no mutant. */
export type Unusable = 'does not type-check' | 'changes nothing' | 'same as another';

export interface Drawing {
  readonly mutants: readonly Site[];
  /** Sites that were drawn and put aside, counted by reason. */
  readonly redrawn: ReadonlyMap<Unusable, number>;
  /** Operators and files that have sites, of which none could be used. */
  readonly empty: readonly string[];
}

/**
 * Draws `count` mutants; fewer when there are not so many usable sites.
 * @param look says why a site cannot be used; null: it can. Asked once for each site at most.
 */
export function draw(
  sites: readonly Site[],
  count: number,
  chance: Chance,
  look: (site: Site) => Unusable | null,
): Drawing {
  const left = shuffled(sites, chance);
  const mutants: Site[] = [];
  const redrawn = new Map<Unusable, number>();
  const empty: string[] = [];
  /** Takes the next usable site that fits. @returns false when there is none. */
  const take = (fits: (site: Site) => boolean): boolean => {
    for (;;) {
      const at = left.findIndex(fits);
      const [site] = at === -1 ? [] : left.splice(at, 1);
      if (site === undefined) return false;
      const reason = look(site);
      if (reason === null) {
        mutants.push(site);
        return true;
      }
      redrawn.set(reason, (redrawn.get(reason) ?? 0) + 1);
    }
  };
  const operators: readonly Operator[] = [...new Set(sites.map(({ operator }) => operator))].sort();
  const files = [...new Set(sites.map(({ file }) => file))].sort();
  for (const operator of operators) {
    if (mutants.length >= count) break;
    if (!take((site) => site.operator === operator)) empty.push(operator);
  }
  for (const file of files) {
    if (mutants.length >= count) break;
    const drawn = mutants.some((site) => site.file === file);
    if (!drawn && !take((site) => site.file === file)) empty.push(file);
  }
  while (mutants.length < count && take(() => true));
  return { mutants, redrawn, empty };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = chance.integer(0, last);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
