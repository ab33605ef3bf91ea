// Bodies from outside, which may be of any length.

/** A body is longer than what is read of one. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
  }
}

/**
 * The body as text.
 * @param maxBytes after decompression.
 * @throws TooLongError when it is longer; the rest is not waited for, its connection is closed.
 */
export async function textOf({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (body === null) return '';
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new TooLongError(maxBytes); // cancels the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
