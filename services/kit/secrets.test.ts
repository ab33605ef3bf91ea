import { expect, test } from 'vitest';
import { createLogger } from './log.ts';
import { openSecrets } from './secrets.ts';

const log = createLogger('silent', { component: 'test', revision: 'r', release: '1' });
const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');

test('the key before a rotation is accepted on, also when another secret changes after it', async () => {
  let read: Record<string, unknown> = { tokenSigningKey: key(1), redisPassword: 'a' };
  const secrets = openSecrets({ source: 'test', read: () => Promise.resolve(read) }, 60_000, log);
  const changed = async (to: typeof read) => {
    read = to;
    const seen = new Promise((resolve) => secrets.onChange(resolve));
    secrets.refresh();
    return await seen;
  };
  await secrets.first();
  const rotated = { tokenSigningKey: key(2), redisPassword: 'a' };
  expect(await changed(rotated)).toEqual({ ...rotated, tokenSigningKeyPrevious: key(1) });
  const later = { tokenSigningKey: key(2), redisPassword: 'b' };
  expect(await changed(later)).toEqual({ ...later, tokenSigningKeyPrevious: key(1) });
  // A source that names the key before decides for how long.
  await changed({ ...later, tokenSigningKeyPrevious: key(3) });
  expect(await changed(later)).toEqual(later);
  secrets.close();
});
