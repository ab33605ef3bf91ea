import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Problem } from './problems.ts';
import { bearerToken, createTokens, tokenAudience, tokenIssuer } from './tokens.ts';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const at = (seconds: number) => () => seconds * 1000;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Signs by hand, as an attacker or another library would. */
function forge(header: object, claims: object, keyBase64: string): string {
  const body = `${part(header)}.${part(claims)}`;
  return `${body}.${createHmac('sha256', Buffer.from(keyBase64, 'base64')).update(body).digest('base64url')}`;
}
const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string; alg: string };

describe('[R-004] [R-005] access tokens', () => {
  test('live 15 minutes and are bound to their user', async () => {
    const tokens = createTokens(() => ({ current: key(1) }), at(1_000));
    const { token, user, expiresAt } = await tokens.issueGuest();
    expect(expiresAt).toBe(1_000 + 900);
    expect(await tokens.verify(token)).toEqual({ user, kind: 'guest', expiresAt });
    const later = (seconds: number) => createTokens(() => ({ current: key(1) }), at(seconds)).verify(token);
    await expect(later(1_000 + 899)).resolves.toMatchObject({ user });
    await expect(later(1_000 + 901)).rejects.toThrow(Problem);
  });

  test('are refused for another signature, algorithm, key name, issuer, audience, kind, or without expiry', async () => {
    const tokens = createTokens(() => ({ current: key(1) }), at(1_000));
    const { token } = await tokens.issueGuest('anna');
    const { kid } = headerOf(token);
    const good = { sub: 'anna', kind: 'guest', iss: tokenIssuer, aud: tokenAudience, iat: 1_000, exp: 1_900 };
    const header = { alg: 'HS256', kid };
    await expect(tokens.verify(forge(header, good, key(1)))).resolves.toMatchObject({ user: 'anna' });
    const { exp: _exp, ...endless } = good;
    const bad: [string, string][] = [
      ['signature', forge(header, good, key(2))],
      ['algorithm none', `${part({ alg: 'none', kid })}.${part(good)}.`],
      ['algorithm', forge({ alg: 'HS384', kid }, good, key(1))],
      ['key name', forge({ alg: 'HS256', kid: 'other' }, good, key(1))],
      ['no key name', forge({ alg: 'HS256' }, good, key(1))],
      ['issuer', forge(header, { ...good, iss: 'evil' }, key(1))],
      ['audience', forge(header, { ...good, aud: 'other' }, key(1))],
      ['kind', forge(header, { ...good, kind: 'admin' }, key(1))],
      ['no expiry', forge(header, endless, key(1))],
      ['not a token', 'abc'],
      ['empty', ''],
    ];
    for (const [what, forged] of bad) {
      await expect(tokens.verify(forged), what).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  test('outlive a rotation of the key, but only one', async () => {
    const { token } = await createTokens(() => ({ current: key(1) })).issueGuest();
    const rotated = createTokens(() => ({ current: key(2), previous: key(1) }));
    await expect(rotated.verify(token)).resolves.toBeDefined();
    expect(headerOf((await rotated.issueGuest()).token).kid).not.toBe(headerOf(token).kid);
    await expect(createTokens(() => ({ current: key(3), previous: key(2) })).verify(token)).rejects.toThrow(Problem);
  });

  test('cannot be made or checked before the key is known', async () => {
    const tokens = createTokens(() => undefined);
    await expect(tokens.issueGuest()).rejects.toMatchObject({ code: 'not_ready' });
    await expect(tokens.verify('x.y.z')).rejects.toMatchObject({ code: 'not_ready' });
  });
});

test('a bearer token is read from its header and from nothing else', () => {
  expect(bearerToken('Bearer abc.def-_=')).toBe('abc.def-_=');
  expect(bearerToken('bearer  abc')).toBe('abc');
  for (const other of [undefined, '', 'Basic abc', 'Bearer', 'Bearer a b', 'xBearer abc']) {
    expect(bearerToken(other)).toBeUndefined();
  }
});
