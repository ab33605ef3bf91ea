import { expect, test } from 'vitest';
import { copyOf } from './copies.ts';

const uid = '0b7a7c1e-93d2-4f0a-8a51-5d1d3a9b2c44';
const copied = '0b7a7c1e-93d2-6f0a-8a51-5d1d3a9b2c44';

test('a copy stands in another namespace, is another object of other owners, and has the same length', () => {
  const value = `\u0008\u0012\u0008bench-17\u001a$${uid}\u00ff{"ownerReferences":[{"uid":"${uid}"}]}`;
  const copy = copyOf({ key: '/registry/pods/bench-17/rest-3', value }, 2);
  expect(copy).toEqual({
    key: '/registry/pods/copy2-17/rest-3',
    value: `\u0008\u0012\u0008copy2-17\u001a$${copied}\u00ff{"ownerReferences":[{"uid":"${copied}"}]}`,
  });
  expect(copy?.value).toHaveLength(value.length);
  expect(copyOf({ key: '/registry/namespaces/bench-17', value: '' }, 1)?.key).toBe('/registry/namespaces/copy1-17');
});

test.each([
  '/registry/pods/kube-system/bench-1',
  '/registry/events/bench-1/rest-3',
  '/registry/serviceaccounts/bench/operator',
])('%s is not copied', (key) => {
  expect(copyOf({ key, value: '' }, 1)).toBeUndefined();
});
