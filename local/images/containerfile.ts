// Reads the part of the Containerfile language that can be built without running anything: no RUN, no stages.
// Docker and buildah read the same files; what they would do and this builder cannot is an error naming file and line.

/** A piece of a word: `literal` text came from single quotes or an escape and is never searched for variables. */
export interface Segment {
  readonly text: string;
  readonly literal: boolean;
}

/** One word as written, before variables are put in. */
export type Word = readonly Segment[];

/** One instruction, its words not yet expanded. `line` is 1-based and names where the instruction starts. */
export type Instruction = { readonly line: number } & (
  | { readonly kind: 'FROM'; readonly ref: Word }
  | { readonly kind: 'ARG'; readonly name: string; readonly value: Word | undefined }
  | { readonly kind: 'ENV' | 'LABEL'; readonly pairs: readonly (readonly [key: string, value: Word])[] }
  | {
      readonly kind: 'COPY';
      readonly sources: readonly Word[];
      readonly destination: Word;
      readonly chown: Word | undefined;
    }
  | { readonly kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL'; readonly value: Word }
  | { readonly kind: 'EXPOSE' | 'VOLUME'; readonly values: readonly Word[] }
  | { readonly kind: 'ENTRYPOINT' | 'CMD'; readonly argv: readonly string[] }
);

/** Something in a Containerfile that this builder does not accept; the message is `file:line: what, and what to do`. */
export class ContainerfileError extends Error {
  override readonly name = 'ContainerfileError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
    this.file = file;
    this.line = line;
  }
}

const SUPPORTED =
  'FROM, ARG, ENV, LABEL, COPY [--chown], WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL, ENTRYPOINT and CMD';

/**
 * Parses a Containerfile.
 *
 * @param text - the file's content
 * @param file - the name to put into errors, best relative to the repository
 * @throws ContainerfileError for anything outside the supported subset
 */
export function parseContainerfile(text: string, file: string): Instruction[] {
  const instructions: Instruction[] = [];
  for (const { line, content } of logicalLines(text)) {
    const fail = (message: string): never => {
      throw new ContainerfileError(file, line, message);
    };
    const match = /^([A-Za-z]+)(?:\s+(.*))?$/s.exec(content);
    const keyword = match?.[1]?.toUpperCase() ?? content;
    instructions.push(parseInstruction(keyword, match?.[2]?.trim() ?? '', line, fail));
  }
  const first = instructions.find((instruction) => instruction.kind !== 'ARG');
  if (first?.kind !== 'FROM') {
    throw new ContainerfileError(
      file,
      first?.line ?? 1,
      'the first instruction must be FROM (only ARG may stand before it).',
    );
  }
  const second = instructions.find((instruction) => instruction.kind === 'FROM' && instruction !== first);
  if (second !== undefined) {
    throw new ContainerfileError(
      file,
      second.line,
      'a second FROM (multi-stage build) is not supported: prepare the files outside and COPY them.',
    );
  }
  return instructions;
}

type Fail = (message: string) => never;

function parseInstruction(keyword: string, rest: string, line: number, fail: Fail): Instruction {
  if (rest === '') fail(`${keyword} has no arguments.`);
  switch (keyword) {
    case 'FROM':
      return parseFrom(rest, line, fail);
    case 'ARG':
      return parseArg(rest, line, fail);
    case 'ENV':
    case 'LABEL':
      return { kind: keyword, line, pairs: splitWords(rest, fail).map((word) => parsePair(keyword, word, fail)) };
    case 'COPY':
      return parseCopy(rest, line, fail);
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
      return { kind: keyword, line, value: onlyWord(keyword, rest, fail) };
    case 'EXPOSE':
      return { kind: keyword, line, values: splitWords(rest, fail) };
    case 'VOLUME':
      return {
        kind: keyword,
        line,
        values: rest.startsWith('[') ? parseJson(keyword, rest, fail).map(literalWord) : splitWords(rest, fail),
      };
    case 'ENTRYPOINT':
    case 'CMD':
      return { kind: keyword, line, argv: parseJson(keyword, rest, fail) };
    default:
      return fail(
        `${keyword} is not supported here. The builder reads ${SUPPORTED}; prepare anything else in the build context.`,
      );
  }
}

function parseFrom(rest: string, line: number, fail: Fail): Instruction {
  const words = splitWords(rest, fail);
  if (rest.startsWith('--')) fail('FROM options such as --platform are not supported: leave them out.');
  const [ref] = words;
  if (words.length !== 1 || ref === undefined)
    return fail('FROM takes one image reference (stages named by AS are not supported).');
  return { kind: 'FROM', line, ref };
}

function parseArg(rest: string, line: number, fail: Fail): Instruction {
  const word = onlyWord('ARG', rest, fail);
  const equals = splitAtEquals(word);
  const name = equals === undefined ? wordText(word) : equals.key;
  if (!/^[A-Za-z_]\w*$/.test(name)) fail(`ARG ${name}: the name must be letters, digits and underscores.`);
  return { kind: 'ARG', line, name, value: equals?.value };
}

function parsePair(keyword: string, word: Word, fail: Fail): readonly [string, Word] {
  const pair = splitAtEquals(word);
  if (pair === undefined || pair.key === '') {
    return fail(`${keyword} ${wordText(word)}: write it as key=value (the form without "=" is not supported).`);
  }
  return [pair.key, pair.value];
}

function parseCopy(rest: string, line: number, fail: Fail): Instruction {
  let chown: Word | undefined;
  const words: Word[] = [];
  for (const word of rest.startsWith('[') ? parseJson('COPY', rest, fail).map(literalWord) : splitWords(rest, fail)) {
    const text = wordText(word);
    if (!text.startsWith('--') || words.length > 0) words.push(word);
    else if (text.startsWith('--chown=')) chown = dropPrefix(word, '--chown='.length);
    else
      fail(
        `COPY option ${text.split('=')[0] ?? text} is not supported (only --chown is): prepare the files in the build context.`,
      );
  }
  const destination = words.pop();
  if (destination === undefined || words.length === 0) return fail('COPY needs at least one source and a destination.');
  const glob = words.find((word) => /[*?[]/.test(wordText(word)));
  if (glob !== undefined) fail(`COPY ${wordText(glob)}: wildcards are not supported; name the file or its folder.`);
  return { kind: 'COPY', line, sources: words, destination, chown };
}

function parseJson(keyword: string, rest: string, fail: Fail): string[] {
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    // The shell form also lands here: it needs a shell in the image, and the process would not be PID 1.
    return fail(`${keyword} must be a JSON array of strings, for example ${keyword} ["node", "/app/main.mjs"].`);
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'string')) {
    return fail(`${keyword} must be a JSON array of strings, for example ${keyword} ["node", "/app/main.mjs"].`);
  }
  return value;
}

/** Joins continued lines and drops comments and blank lines, keeping the line number where each one started. */
function logicalLines(text: string): { line: number; content: string }[] {
  const lines: { line: number; content: string }[] = [];
  let open: { line: number; content: string } | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const trimmed = raw.trim();
    // Comments and empty lines inside a continued instruction are skipped, as Docker does.
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const continued = trimmed.endsWith('\\');
    const part = continued ? trimmed.slice(0, -1).trimEnd() : trimmed;
    if (open === undefined) open = { line: index + 1, content: part };
    else open.content += ` ${part}`;
    if (!continued) {
      lines.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

/** Splits at blanks outside quotes; quotes are removed, and what single quotes or a backslash protect is marked literal. */
function splitWords(text: string, fail: Fail): Word[] {
  const words: Word[] = [];
  let word: Segment[] | undefined;
  let quote = '';
  const add = (character: string, literal: boolean): void => {
    word ??= [];
    const last = word.at(-1);
    if (last?.literal === literal) word[word.length - 1] = { text: last.text + character, literal };
    else word.push({ text: character, literal });
  };
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    const next = text.charAt(index + 1);
    if (quote === "'") {
      if (character === "'") quote = '';
      else add(character, true);
    } else if (character === '\\' && next !== '' && (quote === '' || '"$\\'.includes(next))) {
      add(next, true);
      index++;
    } else if (character === quote) {
      quote = '';
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= [];
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      add(character, false);
    }
  }
  if (quote !== '') fail(`a ${quote} quote is not closed.`);
  if (word !== undefined) words.push(word);
  return words;
}

function onlyWord(keyword: string, rest: string, fail: Fail): Word {
  const [word, extra] = splitWords(rest, fail);
  if (word === undefined || extra !== undefined) return fail(`${keyword} takes exactly one argument.`);
  return word;
}

function splitAtEquals(word: Word): { key: string; value: Word } | undefined {
  const text = wordText(word);
  const at = text.indexOf('=');
  return at < 0 ? undefined : { key: text.slice(0, at), value: dropPrefix(word, at + 1) };
}

function dropPrefix(word: Word, length: number): Word {
  const rest: Segment[] = [];
  let skip = length;
  for (const segment of word) {
    const text = segment.text.slice(skip);
    skip = Math.max(0, skip - segment.text.length);
    if (text !== '') rest.push({ text, literal: segment.literal });
  }
  return rest;
}

function literalWord(text: string): Word {
  return [{ text, literal: true }];
}

/** The word as plain text, variables left as written. */
export function wordText(word: Word): string {
  return word.map((segment) => segment.text).join('');
}

/**
 * Puts variables into a word: `$NAME`, `${NAME}`, `${NAME:-fallback}` and `${NAME:+replacement}`. An unknown name is empty, as in Docker.
 *
 * @param word - the word as parsed
 * @param variables - build arguments and environment known at this point of the file
 */
export function expandWord(word: Word, variables: ReadonlyMap<string, string>): string {
  return word
    .map(({ text, literal }) =>
      literal
        ? text
        : text.replace(
            /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
            (_all, bare?: string, braced?: string, operator?: string, other?: string) => {
              const value = variables.get(bare ?? braced ?? '') ?? '';
              if (operator === '-') return value === '' ? (other ?? '') : value;
              if (operator === '+') return value === '' ? '' : (other ?? '');
              return value;
            },
          ),
    )
    .join('');
}
