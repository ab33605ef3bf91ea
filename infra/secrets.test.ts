import * as pulumi from '@pulumi/pulumi';
import { describe, expect, it } from 'vitest';
import { derive, secretsFrom } from './secrets.ts';
import { mockStack, valueOf } from './testing/mocked-stack.ts';

const SEED = 'a'.repeat(64);

describe('derive', () => {
  it('gives the same secret for the same seed and purpose, on every machine', () => {
    expect(derive(SEED, 'redis/password')).toBe(derive(SEED, 'redis/password'));
    // As `openssl kdf ... HKDF` computes it: a change here would change every password of every stack.
    expect(derive(SEED, 'fixed', 'hex')).toBe('3ea8d0bc2d60a4ede923a962aa0b23d4d7d4cf6aeff21013a4a812fd9682a8de');
  });

  it('gives unrelated secrets for other purposes and seeds', () => {
    const values = ['x', 'y', 'x/y'].flatMap((purpose) => [derive(SEED, purpose), derive(`${SEED}b`, purpose)]);
    expect(new Set(values).size).toBe(values.length);
  });

  it('writes 32 bytes in the form asked for', () => {
    expect(derive(SEED, 'x', 'hex')).toMatch(/^[0-9a-f]{64}$/);
    expect(derive(SEED, 'x', 'base64url')).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(derive(SEED, 'x', 'base64'), 'base64')).toHaveLength(32);
  });

  it('refuses a seed that could be guessed, and says how to set one', () => {
    expect(() => derive('short', 'x')).toThrow(
      /seed: has 5 characters and needs at least 32; .*pulumi config set --secret seed/,
    );
  });
});

describe('secretsFrom', () => {
  it('marks what it derives as secret, even from a seed that is not', async () => {
    await mockStack();
    const output = secretsFrom(SEED).secret('redis/password');
    expect(await pulumi.isSecret(output)).toBe(true);
    expect(await valueOf(output)).toBe(derive(SEED, 'redis/password'));
  });
});
