// The one module that runs changed: named by the environment of the harness, put in place while it is loaded. The working tree stays as it is.
import { applySite, type Site } from './sites.ts';

/** Environment variable with the {@link Replacement} as JSON. */
export const MUTANT_VARIABLE = 'MUTANT';

/** A site with its file's absolute path, and the words that are to stand there. */
export type Replacement = Pick<Site, 'id' | 'start' | 'end' | 'replacement'> & {
  readonly path: string;
  readonly original: string;
};

export function readReplacement(environment: NodeJS.ProcessEnv): Replacement | null {
  const text = environment[MUTANT_VARIABLE];
  return text === undefined ? null : (JSON.parse(text) as Replacement);
}

/** The changed text of the module. @throws Error when the module is not what the mutant was made from. */
export function replaceIn(text: string, mutant: Replacement): string {
  if (text.slice(mutant.start, mutant.end) !== mutant.original)
    throw new Error(`${mutant.path} has changed since ${mutant.id} was made`);
  return applySite(text, mutant);
}
