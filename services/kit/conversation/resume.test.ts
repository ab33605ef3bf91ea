import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideResume } from './resume.ts';

const log = { epoch: 'e1', head: 10, first: 4 };

test.each([
  ['all that was missed is there', { epoch: 'e1', offset: 7 }, { recovered: true, from: 7 }],
  ['nothing was missed', { epoch: 'e1', offset: 10 }, { recovered: true, from: 10 }],
  ['the oldest retained entry is the next one', { epoch: 'e1', offset: 3 }, { recovered: true, from: 3 }],
  ['one entry is gone', { epoch: 'e1', offset: 2 }, { recovered: false, from: 3, reason: 'trimmed' }],
  [
    'everything is asked for, the beginning is gone',
    { epoch: undefined, offset: 0 },
    { recovered: false, from: 3, reason: 'trimmed' },
  ],
  ['another log', { epoch: 'e0', offset: 7 }, { recovered: false, from: 3, reason: 'epoch_changed' }],
  ['the client is ahead', { epoch: 'e1', offset: 11 }, { recovered: false, from: 3, reason: 'offset_ahead' }],
  [
    'an offset without its epoch',
    { epoch: undefined, offset: 7 },
    { recovered: false, from: 3, reason: 'epoch_changed' },
  ],
] as const)('%s', (_name, asked, decision) => {
  expect(decideResume(asked, log)).toEqual(decision);
});

test.each([
  ['what is left of the epoch before', { epoch: 'e0', offset: 7 }, { recovered: true, from: 7 }],
  ['all that is left of it', { epoch: 'e0', offset: 8 }, { recovered: true, from: 8 }],
  ['what was lost of it', { epoch: 'e0', offset: 9 }, { recovered: false, from: 3, reason: 'offset_ahead' }],
  ['one before that', { epoch: 'e', offset: 7 }, { recovered: false, from: 3, reason: 'epoch_changed' }],
] as const)('a log that goes on in another epoch: %s', (_name, asked, decision) => {
  expect(decideResume(asked, { ...log, before: { epoch: 'e0', offset: 8 } })).toEqual(decision);
});

test('an empty log: a new client is well, one that had something is not', () => {
  const empty = { epoch: 'e1', head: 0, first: 0 };
  expect(decideResume({ epoch: undefined, offset: 0 }, empty)).toEqual({ recovered: true, from: 0 });
  expect(decideResume({ epoch: 'e1', offset: 3 }, empty)).toMatchObject({ recovered: false, reason: 'offset_ahead' });
  // All entries trimmed, and the client has seen the last: nothing was missed.
  expect(decideResume({ epoch: 'e1', offset: 9 }, { epoch: 'e1', head: 9, first: 0 })).toEqual({
    recovered: true,
    from: 9,
  });
  expect(decideResume({ epoch: 'e1', offset: 8 }, { epoch: 'e1', head: 9, first: 0 })).toMatchObject({
    recovered: false,
  });
});

test('recovered is said exactly when every entry behind the offset is retained', () => {
  const any = fc.record({ head: fc.nat(30), trimmed: fc.nat(30), offset: fc.nat(35), same: fc.boolean() });
  fc.assert(
    fc.property(any, ({ head, trimmed, offset, same }) => {
      const kept = Array.from({ length: head }, (_, index) => index + 1).slice(Math.min(trimmed, head));
      const asked = { epoch: same ? 'e1' : 'e0', offset };
      const decision = decideResume(asked, { epoch: 'e1', head, first: kept[0] ?? 0 });
      const missed = Array.from({ length: Math.max(0, head - offset) }, (_, index) => offset + 1 + index);
      const honest = same && offset <= head && missed.every((at) => kept.includes(at));
      return (
        decision.recovered === honest && (honest ? decision.from === offset : kept.every((at) => at > decision.from))
      );
    }),
  );
});
