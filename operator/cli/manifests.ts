// AssistantDeployments in files: YAML or JSON, several documents in a file, folders, standard input. Each remembers where its fields stand.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, parseAllDocuments, type Document, type ScalarTag, type Tags } from 'yaml';
import { ASSISTANT_DEPLOYMENT } from '@assistant-platform/api';
import { CommandError } from './errors.ts';
import { withoutNulls, type Path } from './schema.ts';

/** One document. */
export interface Manifest {
  /** As it was named; - is standard input. */
  readonly file: string;
  /** As it was written, without fields that have no value: nothing is known of it but that it is a map with our kind. */
  readonly object: Readonly<Record<string, unknown>>;
  /** Line of a field, from 1; that of the nearest field above it when it is not there. */
  readonly lineOf: (path: Path) => number;
}

/** A document that cannot be read. */
export interface SyntaxProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly SyntaxProblem[];
  /** Documents of other kinds, which are left alone. */
  readonly others: number;
}

const EXTENSIONS = /[.](ya?ml|json)$/i;

/**
 * Reads all documents of our kind.
 * @param sources paths of files or folders (looked through down to the last), or - for standard input.
 * @throws CommandError BadUsage when a source cannot be read, or none of them holds a document of our kind.
 */
export async function readManifests(sources: readonly string[], readStdin: () => Promise<string>): Promise<Manifests> {
  const manifests: Manifest[] = [];
  const problems: SyntaxProblem[] = [];
  let others = 0;
  for (const source of sources) {
    for (const { file, text } of await textsOf(source, readStdin)) {
      const parsed = parseManifests(file, text);
      manifests.push(...parsed.manifests);
      problems.push(...parsed.problems);
      others += parsed.others;
    }
  }
  if (manifests.length === 0 && problems.length === 0) {
    throw new CommandError(
      'BadUsage',
      `there is no ${ASSISTANT_DEPLOYMENT.kind} in ${sources.join(', ')}${others === 0 ? '' : ` (${others} documents of other kinds)`}: name a file or a folder with -f`,
    );
  }
  return { manifests, problems, others };
}

interface Text {
  readonly file: string;
  readonly text: string;
}

async function textsOf(source: string, readStdin: () => Promise<string>): Promise<Text[]> {
  if (source === '-') return [{ file: '-', text: await readStdin() }];
  try {
    const files = (await stat(source)).isDirectory() ? await filesBelow(source) : [source];
    return await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandError('BadUsage', `-f ${source} cannot be read: ${said}`, { cause: error });
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && EXTENSIONS.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/node_modules/'))
    .sort();
}

/** Kinds of YAML 1.1 that kubectl's reader leaves as text: 1:30, 2026-01-31. */
const isTime = (tag: Tags[number]): boolean =>
  typeof tag === 'object' && (tag.tag.endsWith(':timestamp') || (tag as ScalarTag).format === 'TIME');

/** YAML as kubectl reads it: 1.1, where `on` and `yes` are true, 0777 is octal, and `<<` merges. */
const AS_KUBECTL = { version: '1.1', customTags: (tags: Tags) => tags.filter((tag) => !isTime(tag)) } as const;

/** Reads the documents of one text. Pure. */
export function parseManifests(file: string, text: string): Manifests {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...AS_KUBECTL, lineCounter: lines });
  if (!Array.isArray(documents)) return { manifests: [], problems: [], others: 0 };
  const manifests: Manifest[] = [];
  const problems: SyntaxProblem[] = [];
  let others = 0;
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      problems.push({ file, line: lines.linePos(error.pos[0]).line, message: error.message.split('\n')[0] ?? '' });
      continue;
    }
    const value = valueOf(document);
    if (value instanceof Error) {
      problems.push({ file, line: lineOf(document, lines, []), message: value.message });
      continue;
    }
    const objects = itemsOf(value);
    const ours = objects.filter(({ value }) => isOurs(value));
    others += objects.length - ours.length;
    for (const { value, at } of ours) {
      manifests.push({
        file,
        object: withoutNulls(value),
        lineOf: (path) => lineOf(document, lines, [...at, ...path]),
      });
    }
  }
  return { manifests, problems, others };
}

/** An alias without its anchor, and aliases of aliases without end, are found when the value is made. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) return error;
    throw error;
  }
}

type Plain = Readonly<Record<string, unknown>>;

/** The objects in a document: itself, or the items of a List. */
function itemsOf(value: unknown): { readonly value: Plain; readonly at: Path }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const { kind, items } = value as Plain;
  if (!(typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)))
    return [{ value: value as Plain, at: [] }];
  return items.flatMap((item: unknown, index) =>
    itemsOf(item).map(({ value: inner, at }) => ({ value: inner, at: ['items', index, ...at] })),
  );
}

const isOurs = ({ kind }: Plain): boolean => kind === ASSISTANT_DEPLOYMENT.kind;

function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    // The line of the key, where there is one: the value may begin below it.
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
    const node: unknown = pair?.key ?? document.getIn(path.slice(0, length), true);
    const offset = rangeOf(node);
    if (offset !== null) return lines.linePos(offset).line;
  }
  return lines.linePos(rangeOf(document.contents) ?? 0).line;
}

function rangeOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const { range } = node;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
}
