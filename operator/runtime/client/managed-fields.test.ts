import { describe, expect, it } from 'vitest';
import { withoutManagedFields } from './managed-fields.ts';

const managed = [
  { manager: 'a', fieldsV1: { 'f:spec': { 'k:{"name":"x"}': { '.': {} }, 'v:"]["': {}, 'f:\\': {} } } },
  { manager: 'b "]', fieldsV1: {} },
];

describe('JSON without managedFields', () => {
  it('has everything else, of each object of a list', () => {
    const object = (name: string, more: object) => ({ metadata: { name, ...more }, spec: { list: [[1], [2]] } });
    const list = (more: object) => ({ kind: 'List', items: [object('a', more), object('b', {}), object('c', more)] });
    expect(JSON.parse(withoutManagedFields(JSON.stringify(list({ managedFields: managed }))))).toEqual(list({}));
    const between = JSON.stringify({ metadata: { name: 'a', managedFields: managed, uid: 'u' } });
    expect(withoutManagedFields(between)).toBe('{"metadata":{"name":"a","uid":"u"}}');
  });

  it('is the same text where there are none', () => {
    const json = JSON.stringify({ metadata: { name: 'a' } });
    expect(withoutManagedFields(json)).toBe(json);
  });

  it('leaves texts alone that speak of them', () => {
    const json = JSON.stringify({ data: { a: 'x', text: JSON.stringify({ a: 1, managedFields: managed }) } });
    expect(withoutManagedFields(json)).toBe(json);
  });

  it('stays broken where it is cut within them', () => {
    const json = JSON.stringify({ metadata: { name: 'a', managedFields: managed } });
    for (let length = 0; length < json.length; length += 1)
      expect(() => JSON.parse(withoutManagedFields(json.slice(0, length))) as unknown).toThrow(SyntaxError);
  });
});
