import { describe, expect, test } from 'vitest';
import { changesBetween, describeChange, withoutValues } from './changes.ts';

const words = (before: unknown, after: unknown): string[] => changesBetween(before, after).map(describeChange);

describe('changes', () => {
  test.each([
    ['nothing', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['an undefined member is a missing one', { a: undefined }, {}, []],
    ['a value', { image: 'chat:1' }, { image: 'chat:2' }, ['image chat:1 → chat:2']],
    ['added and removed', { a: 1 }, { b: true }, ['a 1 removed', 'b true added']],
    ['a list without names, by place', [{ w: 10 }, { w: 50 }], [{ w: 10 }, { w: 20 }], ['[1].w 50 → 20']],
    [
      'a list with names, by name',
      { l: [{ name: 'x', v: 1 }, { name: 'y' }] },
      { l: [{ name: 'y' }, { name: 'x', v: 2 }] },
      ['l.x.v 1 → 2', 'l is in another order'],
    ],
    [
      'entries that come and go move none of the others',
      { l: [{ name: 'x' }, { name: 'y' }] },
      { l: [{ name: 'z' }, { name: 'y' }] },
      ['l.x {"name":"x"} removed', 'l.z {"name":"z"} added'],
    ],
    ['an object for a text', { a: 'b' }, { a: { c: 1 } }, ['a b → {"c":1}']],
    ['null is a value', { a: null }, { a: 0 }, ['a null → 0']],
  ])('%s', (_, before, after, expected) => {
    expect(words(before, after)).toEqual(expected);
  });

  test('values of variables are never shown', () => {
    const text = words(
      {
        chat: {
          env: [
            { name: 'KEY', value: 'hunter2' },
            { name: 'OLD', value: 'hunter2' },
          ],
        },
      },
      {
        chat: {
          env: [
            { name: 'KEY', value: 'hunter3' },
            { name: 'NEW', value: 'hunter2' },
          ],
        },
      },
    );
    expect(text).toEqual(['chat.env.KEY.value changed', 'chat.env.NEW added', 'chat.env.OLD removed']);
  });

  test('values of variables are not shown where whole lists and components come and go', () => {
    const env = [
      { name: 'KEY', value: 'hunter2' },
      { name: 'REF', valueFrom: { secretKeyRef: { name: 'keys' } } },
    ];
    const components = { chat: { env }, bare: { image: 'a' } };
    const changes = [
      ...changesBetween({ bare: { image: 'a' } }, components),
      ...changesBetween(components, { chat: {}, bare: { image: 'a', env } }),
      ...changesBetween({ template: { env: [] } }, { template: { env: 'hunter2' } }).map(withoutValues),
      ...changesBetween({ env }, { env: env.slice(1) }),
    ];
    expect(changes.map(describeChange).join('\n')).not.toContain('hunter2');
    const shown = JSON.stringify(changes.slice(0, 3).map(withoutValues));
    expect(shown).not.toContain('hunter2');
    expect(shown).toContain('"name":"KEY","value":"(hidden)"');
    expect(shown).toContain('secretKeyRef');
  });

  test('what is long is cut off', () => {
    expect(words({ a: 'x'.repeat(200) }, {})[0]!.length).toBeLessThan(80);
  });
});
