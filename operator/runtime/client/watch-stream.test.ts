import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, TransportError } from './errors.ts';
import { linesOf, parseWatchLine } from './watch-stream.ts';

const chunked = async function* (bytes: Buffer, sizes: number[]) {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
  await Promise.resolve();
};

describe('watch stream', () => {
  it('property: lines survive any cut into chunks, also within a character', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\n'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        async (lines, sizes) => {
          const out: string[] = [];
          for await (const text of linesOf(chunked(Buffer.from(lines.map((text) => `${text}\n`).join('')), sizes)))
            out.push(text);
          expect(out).toEqual(lines);
        },
      ),
    );
  });

  it('reads events and bookmarks', () => {
    expect(parseWatchLine('w', '{"type":"MODIFIED","object":{"kind":"Pod"}}')).toEqual({
      type: 'MODIFIED',
      object: { kind: 'Pod' },
    });
    expect(parseWatchLine('w', '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}')).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '12',
    });
    const end = { resourceVersion: '12', annotations: { 'k8s.io/initial-events-end': 'true' } };
    expect(parseWatchLine('w', JSON.stringify({ type: 'BOOKMARK', object: { metadata: end } }))).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '12',
      initialEventsEnd: true,
    });
  });

  it('reads objects without their managedFields', () => {
    const object = (more: object) => ({ metadata: { name: 'a', ...more } });
    const line = JSON.stringify({ type: 'ADDED', object: object({ managedFields: [{ manager: 'm' }] }) });
    expect(parseWatchLine('w', line)).toEqual({ type: 'ADDED', object: object({}) });
  });

  it('an ERROR event is the ApiError it carries', () => {
    const line = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}';
    expect(() => parseWatchLine('w', line)).toThrow(ApiError);
    expect(() => parseWatchLine('w', line)).toThrow(/410 Expired: too old/);
  });

  it.each(['{"type":"ADD', '{"type":"ODD","object":{}}', '{"type":"BOOKMARK","object":{"metadata":{}}}'])(
    '%s is malformed',
    (line) => {
      expect(() => parseWatchLine('w', line)).toThrow(TransportError);
    },
  );
});
