// Completion: what may stand at the place of the cursor. Pure but for the look-ups passed in; the shells ask it through `__complete`.
import type { Command, Option } from 'commander';
import { printable } from './render/printable.ts';

/** Looks up what only the cluster, or the kubeconfig, knows. A look-up that fails completes nothing: a prompt is no place for errors. */
export interface Lookups {
  readonly names: () => Promise<readonly string[]>;
  readonly namespaces: () => Promise<readonly string[]>;
  readonly contexts: () => Promise<readonly string[]>;
  /** Revisions of an assistant: hash and release. */
  readonly revisions: (name: string) => Promise<readonly (readonly [hash: string, release: string])[]>;
}

/** One proposal. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** `Files`: the shell proposes paths. */
export type Completion =
  | { readonly kind: 'Words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'Files' };

const words = (...candidates: readonly Candidate[]): Completion => ({ kind: 'Words', candidates });
const bare = (list: readonly string[]): Candidate[] => list.map((word) => ({ word, description: '' }));

/**
 * What may stand there.
 * @param line the words behind the program's name; the last one is being typed, and may be empty.
 */
export async function complete(program: Command, line: readonly string[], lookups: Lookups): Promise<Completion> {
  const typed = line.at(-1) ?? '';
  const before = line.slice(0, -1);
  const completion = await propose(program, before, typed, lookups);
  if (completion.kind === 'Files') return completion;
  return words(...completion.candidates.filter(({ word }) => word.startsWith(typed)));
}

async function propose(
  program: Command,
  before: readonly string[],
  typed: string,
  lookups: Lookups,
): Promise<Completion> {
  const { command, values, awaiting } = read(program, before);
  if (awaiting !== null) return valuesOf(awaiting, values, lookups);
  if (typed.startsWith('--') && typed.includes('=')) {
    const flag = typed.slice(0, typed.indexOf('='));
    const option = optionsOf(program, command).find(({ long }) => long === flag);
    if (option === undefined) return words();
    const found = await valuesOf(option, values, lookups);
    return found.kind === 'Files'
      ? found
      : words(...found.candidates.map(({ word, description }) => ({ word: `${flag}=${word}`, description })));
  }
  if (typed.startsWith('-')) {
    return words(
      ...optionsOf(program, command).flatMap(({ long, description }) =>
        long === undefined ? [] : [{ word: long, description }],
      ),
      { word: '--help', description: 'display help' },
    );
  }
  if (command === program) {
    return words(...visible(program).map((each) => ({ word: each.name(), description: each.description() })));
  }
  const argument = command.registeredArguments[values.length];
  if (argument === undefined) return words();
  if (argument.argChoices !== undefined) return words(...bare(argument.argChoices));
  return argument.name() === 'name' ? words(...bare(await quietly(lookups.names()))) : words();
}

/** What the words before the cursor say: the command, its arguments, and an option that still wants its value. */
function read(
  program: Command,
  before: readonly string[],
): { readonly command: Command; readonly values: readonly string[]; readonly awaiting: Option | null } {
  let command = program;
  let awaiting: Option | null = null;
  const values: string[] = [];
  for (const word of before) {
    if (awaiting !== null) awaiting = null;
    else if (word.startsWith('-')) {
      const option = optionsOf(program, command).find(({ long, short }) => long === word || short === word);
      awaiting = option?.required === true ? option : null;
    } else if (command === program) command = program.commands.find((each) => each.name() === word) ?? program;
    else values.push(word);
  }
  return { command, values, awaiting };
}

/** The values of the program's own options in a line, by long name without dashes: namespace, context, kubeconfig. */
export function globalValues(program: Command, line: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  // The last word is being typed: half the name of a context is none.
  const before = line.slice(0, -1);
  for (const [index, word] of before.entries()) {
    const [flag = '', ...value] = word.split('=');
    const option = program.options.find(({ long, short, required }) => required && (long === flag || short === flag));
    const given = value.length > 0 ? value.join('=') : before[index + 1];
    if (option !== undefined && given !== undefined) found[option.name()] = given;
  }
  return found;
}

const optionsOf = (program: Command, command: Command): readonly Option[] =>
  (command === program ? program.options : [...command.options, ...program.options]).filter(({ hidden }) => !hidden);

/** Commands that are shown in the help. */
export const visible = (program: Command): Command[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .filter((each) => each.name() !== 'help');

async function valuesOf(option: Option, values: readonly string[], lookups: Lookups): Promise<Completion> {
  if (option.argChoices !== undefined) return words(...bare(option.argChoices));
  switch (option.long) {
    case '--namespace':
      return words(...bare(await quietly(lookups.namespaces())));
    case '--context':
      return words(...bare(await quietly(lookups.contexts())));
    case '--to': {
      const [name] = values;
      const revisions = name === undefined ? [] : await quietly(lookups.revisions(name));
      return words(...revisions.map(([word, description]) => ({ word, description })));
    }
    case '--filename':
    case '--kubeconfig':
    case '--out':
      return { kind: 'Files' };
    case undefined:
    default:
      return words();
  }
}

async function quietly<T>(lookup: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await lookup;
  } catch {
    return []; // no cluster, no right, no answer in time: the person types it
  }
}

/**
 * The answer as kubectl's plugin convention wants it (that of cobra's __complete): a candidate a line, a description behind a tab, at last a
 * directive: 4 says that files are not proposed, 0 that they are.
 */
export function completionText(completion: Completion): string {
  if (completion.kind === 'Files') return ':0\n';
  const lines = printable(completion.candidates).map(({ word, description }) =>
    description === '' ? word : `${word}\t${description}`,
  );
  return `${[...lines, ':4'].join('\n')}\n`;
}
