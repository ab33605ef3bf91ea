// Every link from one of our pages to a file or a heading leads somewhere, and every page under docs/ can be reached from the index.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES, ROOT } from './pages.ts';

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

const pages = PAGES.map((page) => join(ROOT, page));

describe('links', () => {
  it.each(PAGES)('of %s lead somewhere', (name) => {
    const broken = linksOf(join(ROOT, name)).filter(
      ({ file, anchor }) =>
        !existsSync(file) || (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor)),
    );
    expect(broken.map(({ target }) => target)).toEqual([]);
  });

  it('lead from the index to every page of docs', () => {
    const index = linksOf(join(ROOT, 'docs/README.md')).map(({ file }) => file);
    const unreached = pages
      .filter((page) => page.startsWith(join(ROOT, 'docs/')) && !page.endsWith('docs/README.md'))
      .filter((page) => !index.some((file) => file === page || dirname(page) === file));
    expect(unreached.map((page) => relative(ROOT, page))).toEqual([]);
  });
});
