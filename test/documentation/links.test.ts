// Every link from one of our pages to a file or a heading leads somewhere, and every page under docs/ can be reached from the index.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const NOT_OURS = new Set(['node_modules', '.git', '.state', 'dist', 'coverage']);

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Blocks of code are no text. */
const textOf = (page: string): string => readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));

interface Link {
  readonly target: string;
  /** Absolute, without the anchor. */
  readonly file: string;
  readonly anchor: string | undefined;
}

const linksOf = (page: string): Link[] =>
  [...textOf(page).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    return [{ target, file: path === '' ? page : resolve(dirname(page), path), anchor }];
  });

const pages = pagesBelow(root);

describe('links', () => {
  it.each(pages.map((page) => relative(root, page)))('of %s lead somewhere', (name) => {
    const broken = linksOf(join(root, name)).filter(
      ({ file, anchor }) =>
        !existsSync(file) || (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor)),
    );
    expect(broken.map(({ target }) => target)).toEqual([]);
  });

  it('lead from the index to every page of docs', () => {
    const index = linksOf(join(root, 'docs/README.md')).map(({ file }) => file);
    const unreached = pages
      .filter((page) => page.startsWith(join(root, 'docs/')) && !page.endsWith('docs/README.md'))
      .filter((page) => !index.some((file) => file === page || dirname(page) === file));
    expect(unreached.map((page) => relative(root, page))).toEqual([]);
  });
});
