/**
 * Every password and key of the stack, derived from one secret: the stack's `seed`.
 *
 * Deriving instead of drawing keeps previews stable (the same seed gives the same passwords on every run) without a
 * provider that remembers random values, and leaves one secret to guard. HKDF (RFC 5869) with the purpose as `info`
 * makes the derived values independent: none tells anything about another or about the seed. All results are Pulumi
 * secrets, so that the state holds them encrypted only.
 */
import { hkdfSync } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';

/** Fewest characters of a seed: 32 hex digits are 128 bits. */
export const MIN_SEED_LENGTH = 32;

/** How a derived secret is written. */
export type SecretForm = 'base64url' | 'base64' | 'hex';

/**
 * Derives one secret.
 *
 * @param seed the stack's secret
 * @param purpose what it is for; another purpose gives an unrelated value. Changing it rotates the secret
 * @param form 32 bytes as base64url (43 characters, for passwords), base64 (44) or hex (64)
 * @throws RangeError if the seed is too short to be safe
 */
export function derive(seed: string, purpose: string, form: SecretForm = 'base64url'): string {
  if (seed.length < MIN_SEED_LENGTH) {
    throw new RangeError(
      `seed: has ${seed.length} characters and needs at least ${MIN_SEED_LENGTH}; set a new one with ` +
        '`openssl rand -hex 32 | pulumi config set --secret seed`',
    );
  }
  const key = hkdfSync('sha256', seed, 'assistant-platform', purpose, 32);
  return Buffer.from(key).toString(form);
}

/** Gives the secrets of a stack, each under its purpose. */
export interface SecretSource {
  /** A derived secret as a Pulumi secret output. */
  secret(purpose: string, form?: SecretForm): pulumi.Output<string>;
}

/** The source of secrets that derives from a seed; the outputs are marked secret even if the seed is not. */
export function secretsFrom(seed: pulumi.Input<string>): SecretSource {
  const secretSeed = pulumi.secret(seed);
  return { secret: (purpose, form) => secretSeed.apply((value) => derive(value, purpose, form)) };
}
