import { expect, it } from 'vitest';
import { type DemoReport, verdict } from './report.ts';
import { noRequests } from './statistics.ts';

const GOOD: DemoReport = {
  ...{ seed: 1, seconds: 60, weights: [] },
  releases: [
    {
      ...{ release: '1.1.0', strategy: 'Canary', outcome: 'Promoted', seconds: 30 },
      traffic: { requests: 100, failures: 0, acknowledged: 10, moved: 5 },
    },
  ],
  requests: { ...noRequests(), requests: 100, knownBug: 3 },
  messages: { sent: 10, acknowledged: 10, lost: 0, duplicated: 0, duplicates: [] },
  sockets: { opened: 5, moved: 5, broken: 0, notRecovered: 0, awayMs: [] },
};

it('nothing is wrong with a run that holds what it promises', () => {
  expect(verdict(GOOD)).toEqual([]);
});

it.each<[string, Partial<DemoReport>]>([
  ['requests failed', { requests: { ...GOOD.requests, failures: 1 } }],
  ['messages lost', { messages: { ...GOOD.messages, lost: 1 } }],
  ['messages duplicated', { messages: { ...GOOD.messages, duplicated: 1 } }],
  ['broke without a drain', { sockets: { ...GOOD.sockets, broken: 1 } }],
  ['were not recovered', { sockets: { ...GOOD.sockets, notRecovered: 1 } }],
  ['proved nothing', { requests: { ...GOOD.requests, knownBug: 0 } }],
])('told: %s', (words, change) => {
  expect(verdict({ ...GOOD, ...change })).toEqual([expect.stringContaining(words)]);
});
