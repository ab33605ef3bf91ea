import { describe, expect, it } from 'vitest';
import { cover, findProofs, parseRequirements } from './requirements.ts';

const page = [
  '# Requirements',
  '## Accounts',
  '- [R-001] One.',
  '- [R-002] Two.',
  '## Targets',
  '- [R-003] Three.',
].join('\n');

describe('parseRequirements', () => {
  it('reads number, section and text', () => {
    expect(parseRequirements(page).map((r) => [r.id, r.section])).toEqual([
      ['R-001', 'Accounts'],
      ['R-002', 'Accounts'],
      ['R-003', 'Targets'],
    ]);
  });

  it('refuses a number that stands twice', () => {
    expect(() => parseRequirements(`${page}\n- [R-001] Again.`)).toThrow(/R-001 stands twice/);
  });
});

describe('findProofs', () => {
  const titles = (source: string) => findProofs('a.test.ts', source).map((p) => p.id);
  // The mentions are put together here so that this file does not prove anything itself.
  const named = (ids: string) => `[${ids}] works`;

  it('finds titles in all quotes, in tables, and several in one', () => {
    expect(titles(`it('${named('R-001')}', () => {})`)).toEqual(['R-001']);
    expect(titles(`test.each([1, 2])(\`${named('R-001, R-003')} %s\`, fn)`)).toEqual(['R-001', 'R-003']);
    expect(titles(`describe(\n  "${named('R-002')}", fn)`)).toEqual(['R-002']);
  });

  it('does not take a mention outside of a title', () => {
    expect(titles(`// ${named('R-001')}\nconst x = '${named('R-002')}';`)).toEqual([]);
  });
});

describe('cover', () => {
  it('tells proven, unproven and unknown apart', () => {
    const proofs = ['R-001', 'R-999'].map((id) => ({ id, file: 'a.test.ts', title: id }));
    const coverage = cover(parseRequirements(page), proofs);
    expect([...coverage.proven.keys()]).toEqual(['R-001']);
    expect(coverage.unproven.map((r) => r.id)).toEqual(['R-002', 'R-003']);
    expect(coverage.unknown.map((p) => p.id)).toEqual(['R-999']);
  });
});
