// What a page tells people to type is there: scripts of npm, commands and flags of kubectl assistant, files of ours.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeProgram } from '../../operator/cli/program.ts';
import { linesOf, PAGES, ROOT, spansOf } from './pages.ts';

// The history tells of what was; the requirements tell of what is to come.
const pages = PAGES.filter((page) => !['CHANGELOG.md', 'docs/requirements.md'].includes(page));

const scriptsOf = (workspace: string): string[] =>
  Object.keys(
    (JSON.parse(readFileSync(join(ROOT, workspace, 'package.json'), 'utf8')) as { scripts?: object }).scripts ?? {},
  );

/** The scripts that a line names and that are not there. */
const missingScripts = (line: string): string[] =>
  [...line.matchAll(/npm run (?:--silent )?([a-z][a-z0-9:-]*)(?: -w @assistant-platform\/([a-z]+))?/g)].flatMap(
    ([call, script = '', workspace]) =>
      scriptsOf(workspace === undefined ? '.' : `operator/${workspace}`).includes(script) ? [] : [call],
  );

const program = makeProgram();

/** What is wrong with the calls of kubectl assistant in a line. */
function wrongCalls(line: string): string[] {
  return [...line.matchAll(/kubectl[ -]assistant ([^|;()&]+)/g)].flatMap(([call, rest = '']) => {
    const [name, ...words] = rest
      .replaceAll(/"[^"]*"/g, 'TEXT')
      .trim()
      .split(/\s+/);
    const command = program.commands.find((each) => each.name() === name);
    if (command === undefined) return /^(-|\.\.\.)/.test(name ?? '') ? [] : [call];
    const known = [...command.options, ...program.options].flatMap(({ short, long }) => [short, long]);
    return words
      .filter((word) => word.startsWith('-') && word !== '-' && word !== '--help' && !known.includes(word))
      .map((flag) => `${call}: ${flag}`);
  });
}

/** Whether a path is there, from the clone or from the page; the beginning of a name, such as test/e2e/40, stands for the file. */
const isThere = (page: string, path: string): boolean =>
  [ROOT, join(ROOT, dirname(page))].some(
    (folder) => existsSync(join(folder, path)) || globSync(`${path}{*,/*}`, { cwd: folder }).length > 0,
  );
const OURS = /^(charts|docs|infra|local|operator|services|test)\/[\w./*-]+$/;

describe.each(pages)('%s', (page) => {
  it('names scripts that are there', () => {
    expect(linesOf(page).flatMap(missingScripts)).toEqual([]);
  });

  it('names commands and flags of kubectl assistant that are there', () => {
    expect(linesOf(page).flatMap(wrongCalls)).toEqual([]);
  });

  it('names files that are there', () => {
    const paths = spansOf(page).filter((span) => OURS.test(span));
    expect(paths.filter((path) => !isThere(page, path))).toEqual([]);
  });
});
