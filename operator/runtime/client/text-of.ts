// Bodies from outside, which may be of any length.

/** A body is longer than what is read of one. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
  }
}

/**
 * A body as text, from a `Response` or from node:http.
 * @param maxBytes after decompression.
 * @throws TooLongError when it is longer; the rest is not waited for, its connection is closed.
 */
export async function textOf(body: AsyncIterable<unknown> | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new TooLongError(maxBytes); // leaving the loop closes the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
