// Our pages: which there are, and what stands in their blocks of code.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The clone. */
export const ROOT = resolve(import.meta.dirname, '../..');
const NOT_OURS = new Set(['node_modules', '.git', '.state', 'dist', 'coverage']);

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Paths relative to the clone. */
export const PAGES = pagesBelow(ROOT).map((page) => relative(ROOT, page));

export const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

const BLOCK = /^```([a-z]*)\n([\s\S]*?)^```/gm;

/** Blocks of code in one of these languages. */
export const blocksOf = (page: string, ...languages: readonly string[]): string[] =>
  [...textOf(page).matchAll(BLOCK)].flatMap(([, language = '', code = '']) =>
    languages.includes(language) ? [code] : [],
  );

/** What stands between backticks in the text. */
export const spansOf = (page: string): string[] =>
  [
    ...textOf(page)
      .replaceAll(BLOCK, '')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, code = '']) => code);

/** Every line that a person could type, without its comment. */
export const linesOf = (page: string): string[] =>
  [...spansOf(page), ...blocksOf(page, 'sh', 'bash').flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))].map(
    (line) => line.replace(/(^|\s)#.*$/, ''),
  );
