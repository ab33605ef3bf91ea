import { expect, test } from 'vitest';
import { createLedger } from './ledger.ts';

const message = (clientId: string, offset: number, epoch = 'e') =>
  ({ type: 'message', conversation: 'c', epoch, offset, clientId, user: 'u', text: 'x', at: 0 }) as const;
const ack = (clientId: string, offset: number) =>
  ({ type: 'ack', conversation: 'c', epoch: 'e', offset, clientId, duplicate: false }) as const;
const resumed = (offset: number, recovered = true, epoch = 'e') => {
  const frame = { type: 'resumed', conversation: 'c', epoch, offset, head: offset, recovered } as const;
  return recovered ? frame : ({ ...frame, reason: 'epoch_changed' } as const);
};

test('a lost message, a doubled one, a doubled entry and a gap are each counted', () => {
  const ledger = createLedger();
  ledger.resumed(resumed(0));
  ledger.entry(message('a', 1));
  ledger.entry(message('b', 2));
  ledger.acked(ack('a', 1));
  expect(ledger.counts(0)).toMatchObject({ lost: 0, duplicated: 0, gaps: 0, entries: 2, acked: 1 });
  ledger.acked(ack('never-came', 9));
  expect(ledger.counts(0).lost).toBe(1);
  ledger.entry(message('b', 2));
  expect(ledger.counts(0).duplicated).toBe(1);
  ledger.entry(message('a', 3));
  expect(ledger.counts(0).duplicated).toBe(2);
  ledger.entry(message('d', 6));
  expect(ledger.counts(0).gaps).toBe(1);
});

test('each entry of a history that comes again is counted, and nothing that has come is asked for again', () => {
  const ledger = createLedger();
  ledger.resumed(resumed(0));
  for (const offset of [1, 2, 3]) ledger.entry(message(`m${offset}`, offset));
  for (const offset of [1, 2]) ledger.entry(message(`m${offset}`, offset));
  expect(ledger.counts(0)).toMatchObject({ duplicated: 2, gaps: 0 });
  expect(ledger.position()).toEqual({ epoch: 'e', offset: 3 });
});

test('an acknowledged message that is not in a new log is lost', () => {
  const ledger = createLedger();
  ledger.resumed(resumed(0));
  ledger.entry(message('a', 1));
  ledger.acked(ack('a', 1));
  ledger.resumed(resumed(0, false, 'new'));
  expect(ledger.counts(0)).toMatchObject({ lost: 1, notRecovered: 1 });
});

test('time away runs from the first loss of the socket to the resumption', () => {
  let time = 0;
  const ledger = createLedger(() => time);
  ledger.away(1006);
  ledger.resumed(resumed(0));
  expect(ledger.counts(0).awayMs).toEqual([]);
  time = 100;
  ledger.away(4000);
  time = 150;
  ledger.away(1006);
  time = 400;
  ledger.resumed(resumed(0));
  expect(ledger.counts(0)).toMatchObject({ awayMs: [300], recovered: 1, closeCodes: { 4000: 1, 1006: 2 } });
});
