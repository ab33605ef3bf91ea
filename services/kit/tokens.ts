// Access tokens: JWTs signed with HS256 by the key in the secrets, named by `kid` so that keys can rotate.
// First cut: guests only (a new user for each session). A token lives 15 minutes.
import { createHash, randomUUID } from 'node:crypto';
import { SignJWT, errors, jwtVerify } from 'jose';
import { Problem } from './problems.ts';

/** Claims `iss` and `aud` of every token. */
export const tokenIssuer = 'assistant-platform';
export const tokenAudience = 'assistant';
/** Life of an access token, in seconds. */
export const tokenSeconds = 15 * 60;

/** Who a verified token belongs to. */
export interface Identity {
  /** Stable id of the user. */
  readonly user: string;
  readonly kind: 'guest';
  /** Unix time in seconds at which the token ends. */
  readonly expiresAt: number;
}

/** The key that signs, and those that are only accepted (the one before a rotation). */
export interface SigningKeys {
  /** Base64, 32 bytes. */
  readonly current: string;
  readonly previous?: string | undefined;
}

/** Public name of a key: the first 16 characters of the base64url SHA-256 of its bytes. */
export function keyId(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 16);
}

/** Issues and verifies tokens with the keys that are in force at the moment of the call. */
export interface Tokens {
  /** A token for a guest: a new one, or `user` again. */
  issueGuest(user?: string): Promise<{ token: string; user: string; expiresAt: number }>;
  /** @throws Problem `unauthorized` when signature, key, issuer, audience or expiry is wrong */
  verify(token: string): Promise<Identity>;
}

/**
 * @param keys asked at each use, so that a rotation needs no restart; undefined until the secrets are there
 * @param now milliseconds since 1970
 */
export function createTokens(keys: () => SigningKeys | undefined, now: () => number = Date.now): Tokens {
  const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
  const inForce = (): SigningKeys => {
    const given = keys();
    if (given === undefined) throw new Problem('not_ready', { detail: 'the token signing key is not known yet' });
    return given;
  };
  return {
    async issueGuest(user = `guest-${randomUUID()}`) {
      const key = decode(inForce().current);
      const issuedAt = Math.floor(now() / 1000);
      const expiresAt = issuedAt + tokenSeconds;
      const token = await new SignJWT({ kind: 'guest' })
        .setProtectedHeader({ alg: 'HS256', kid: keyId(key) })
        .setIssuer(tokenIssuer)
        .setAudience(tokenAudience)
        .setSubject(user)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, user, expiresAt };
    },
    async verify(token) {
      const { current, previous } = inForce();
      const candidates = [current, ...(previous === undefined ? [] : [previous])].map(decode);
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const key = candidates.find((candidate) => keyId(candidate) === kid);
            if (key === undefined) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          {
            algorithms: ['HS256'],
            issuer: tokenIssuer,
            audience: tokenAudience,
            requiredClaims: ['sub', 'exp', 'iat'],
            currentDate: new Date(now()),
          },
        );
        if (typeof payload.sub !== 'string' || payload.kind !== 'guest' || payload.exp === undefined) {
          throw new errors.JWTClaimValidationFailed('not a guest token', payload, 'kind', 'check_failed');
        }
        return { user: payload.sub, kind: 'guest', expiresAt: payload.exp };
      } catch (cause) {
        if (cause instanceof errors.JOSEError || cause instanceof TypeError) {
          throw new Problem('unauthorized', { detail: 'the access token is not valid', cause });
        }
        throw cause;
      }
    },
  };
}

/** The token of an `Authorization: Bearer` header (RFC 6750), if there is one. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1];
}
