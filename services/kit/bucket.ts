// The bucket of a conversation: which side of a canary it is on, the same in every request (stickiness of the gateway).
import { createHash } from 'node:crypto';

/** Cookie and header that carry the bucket. */
export const bucketName = 'x-assistant-bucket';

/**
 * The first four bytes of SHA-256 over the id as an unsigned big-endian number, modulo 100: 0..99.
 * Clients in other languages compute the same number, so the formula never changes.
 */
export function bucketOf(conversationId: string): number {
  return createHash('sha256').update(conversationId, 'utf8').digest().readUInt32BE(0) % 100;
}
