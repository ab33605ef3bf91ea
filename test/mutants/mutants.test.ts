// The engine of `npm run mutants`: sites are found by rule, changes are exact, a seed draws the same again, an explanation does not outlive its code.
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { Chance } from '../simulator/random.ts';
import { draw } from './draw.ts';
import { findSites } from './operators.ts';
import { decisionFiles, pathOf } from './program.ts';
import { replaceIn } from './replacement.ts';
import { applySite, changeOf, lineOf, type Operator, OPERATORS, type Site } from './sites.ts';
import { type Explanation, excuseOf, staleExplanations, SURVIVORS } from './survivors.ts';

/** The sites of a text, by a program that has no other file. */
function sitesOf(text: string): Site[] {
  const name = 'snippet.ts';
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2024, true);
  const host: ts.CompilerHost = {
    getSourceFile: (file) => (file === name ? source : undefined),
    getDefaultLibFileName: () => 'lib.d.ts',
    writeFile: () => undefined,
    getCurrentDirectory: () => '',
    getCanonicalFileName: (file) => file,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: (file) => file === name,
    readFile: () => undefined,
  };
  const program = ts.createProgram([name], { noLib: true, strict: true }, host);
  return findSites(source, program.getTypeChecker(), name);
}

/** The text after each change of one operator. */
const changed = (operator: Operator, text: string): string[] =>
  sitesOf(text)
    .filter((site) => site.operator === operator)
    .map((site) => applySite(text, site));

describe('sites', () => {
  it.each<[Operator, string, string[]]>([
    ['boundary', 'f(a < b, c >= d);', ['f(a <= b, c >= d);', 'f(a < b, c > d);']],
    ['equality', 'f(a === b, c !== d);', ['f(a !== b, c !== d);', 'f(a === b, c === d);']],
    ['negate', 'const x = a ? b : c;', ['const x = !(a) ? b : c;']],
    ['negate', 'if (!a) f();', ['if ((a)) f();']],
    ['negate', 'pods.filter((pod) => pod.ready);', ['pods.filter((pod) => !(pod.ready));']],
    ['negate', 'if (a === b) f();', []], // the other operator does it
    ['logical', 'f(a && b || c);', ['f(((a && b) && (c)));', 'f(((a) || (b)) || c);']],
    ['arithmetic', 'f(1 + 2 * 3);', ['f(1 - 2 * 3);', 'f(1 + 2 / 3);']],
    ['arithmetic', "f('a' + 'b');", []],
    ['constant', 'f(0, 1, 100, 42);', ['f(1, 1, 100, 42);', 'f(0, 0, 100, 42);', 'f(0, 1, 99, 42);']],
    ['boolean', 'f(true, false);', ['f(false, false);', 'f(true, true);']],
    ['default', 'f(a ?? 0);', ['f((a)!);']],
    ['early return', 'function f() { if (a) return 1; return 2; }', ['function f() {  return 2; }']],
    ['early return', 'for (const a of b) if (a) continue; else f();', []],
    ['statement', 'a.push(1);', ['']],
    ['statement', 'if (a) f();', ['if (a) ;']],
    ['filter', 'f(pods.filter(ready).length);', ['f(pods.length);']],
    ['method', 'f(Math.min(a, b), c.some(d));', ['f(Math.max(a, b), c.some(d));', 'f(Math.min(a, b), c.every(d));']],
    ['spread', 'f([...a, b]);', ['f([...[], b]);']],
  ])('%s of %s', (operator, text, expected) => {
    expect(changed(operator, text).toSorted()).toEqual(expected.toSorted());
  });

  it('a string is exchanged only where it is one of a closed union', () => {
    const text = "type Way = 'On' | 'Off' | 'Over' | null;\nconst way: Way = 'On';\nconst other: string = 'On';\n";
    expect(changed('literal', text)).toEqual([text.replace("way: Way = 'On'", "way: Way = 'Over'")]);
    const compared = "declare const way: 'On' | 'Off';\nconst on = way === 'On';\n";
    expect(changed('literal', compared)).toEqual([compared.replace("=== 'On'", "=== 'Off'")]);
  });

  it('are none in types, imports and messages', () => {
    expect(sitesOf("type A = 0 | 1;\ninterface B { c: true }\nimport d from '0';\n")).toEqual([]);
    expect(sitesOf('const message = `${count === 1 ? 0 : 1} pods`;')).toEqual([]);
  });

  it('have names of their own, and the change in words', () => {
    const text = 'const a = 1;\nconst late =\n  now > end;\n';
    const sites = sitesOf(text);
    expect(sites.map(({ id }) => id)).toEqual(['snippet.ts/boundary/1', 'snippet.ts/constant/1']);
    const [site] = sites;
    expect([lineOf(text, site!), changeOf(text, site!)]).toEqual([3, { from: 'now > end;', to: 'now >= end;' }]);
  });

  it('outside of the text are refused', () => {
    expect(() => applySite('abc', { id: 'x', start: 2, end: 9, replacement: '' })).toThrow(
      'x does not lie in its file',
    );
  });

  it('a module that is not the one the mutant was made from is refused', () => {
    const mutant = { id: 'x', start: 0, end: 1, replacement: '2', original: '1', path: 'p' };
    expect(replaceIn('1;', mutant)).toBe('2;');
    expect(() => replaceIn('0;', mutant)).toThrow('p has changed since x was made');
  });
});

describe('a drawing', () => {
  const sites = ['a.ts', 'b.ts', 'c.ts'].flatMap((file) =>
    OPERATORS.flatMap((operator) =>
      [1, 2, 3].map(
        (n): Site => ({ id: `${file}/${operator}/${n}`, file, operator, start: 0, end: 1, replacement: '' }),
      ),
    ),
  );
  const ids = (seed: number): string[] => draw(sites, 30, new Chance(seed), () => null).mutants.map(({ id }) => id);

  it('is the same again with the same seed, and another with another', () => {
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
    expect(new Set(ids(1)).size).toBe(30);
  });

  it('has every operator and every file in it, and draws again what cannot be used', () => {
    const rare: Site[] = [{ id: 'rare', file: 'd.ts', operator: 'filter', start: 0, end: 1, replacement: '' }];
    const { mutants, redrawn, empty } = draw([...sites, ...rare], 20, new Chance(3), ({ id, operator }) =>
      operator === 'spread' ? 'does not type-check' : id.endsWith('1') ? 'changes nothing' : null,
    );
    expect(mutants).toHaveLength(20);
    expect(new Set(mutants.map(({ file }) => file))).toEqual(new Set(['a.ts', 'b.ts', 'c.ts', 'd.ts']));
    expect(new Set(mutants.map(({ operator }) => operator)).size).toBe(OPERATORS.length - 1);
    expect(empty).toEqual(['spread']);
    expect(redrawn.get('does not type-check')).toBe(9);
  });

  it('ends when there is nothing left', () => {
    expect(draw(sites, 9999, new Chance(1), () => null).mutants).toHaveLength(sites.length);
  });
});

describe('explained survivors', () => {
  const site = { file: 'a.ts', operator: 'boundary', from: 'a < b', to: 'a <= b' } as const;
  const explanation: Explanation = { ...site, why: 'they are never equal' };

  it('are known by the words of the change', () => {
    expect(excuseOf(site, [explanation])).toBe('they are never equal');
    expect(excuseOf({ ...site, file: 'b.ts' }, [explanation])).toBeNull();
    expect(excuseOf({ ...site, to: 'a > b' }, [explanation])).toBeNull();
  });

  it('are an error when their code is gone', () => {
    expect(staleExplanations([explanation], [site])).toEqual([]);
    expect(staleExplanations([explanation], [{ ...site, from: 'a < c' }])).toEqual([explanation]);
  });

  it.each(SURVIVORS)('$file still says: $from', ({ file, from }) => {
    expect(readFileSync(pathOf(file), 'utf8').replaceAll(/\s+/g, ' ').includes(from)).toBe(true);
  });
});

it('the decision is what the tests are not', () => {
  const files = decisionFiles();
  expect(files).toEqual(expect.arrayContaining(['plan.ts', 'analysis/judge.ts', 'refusal.ts']));
  expect(files.filter((file) => /test|world|releases/.test(file))).toEqual(['analysis/sequential-test.ts']);
});
