import type { AssistantDeployment, AssistantDeploymentStatus, HistoryEntry } from '@assistant-platform/api';
import { describe, expect, test } from 'vitest';
import { chooseWayBack, goBack, readRecord, type RevisionRecord } from './revisions.ts';
import { scenes } from './testing/scenes.ts';

const { spec, metadata, apiVersion, kind } = scenes[0]!.object;
const ended = (hash: string, release: string, outcome: HistoryEntry['outcome']): HistoryEntry => ({
  ...{ hash, release, outcome },
  startedAt: '2026-11-21T08:00:00Z',
  finishedAt: '2026-11-21T09:00:00Z',
});
const object = (status: AssistantDeploymentStatus): AssistantDeployment => ({
  apiVersion,
  kind,
  metadata,
  spec,
  status,
});
/** Made of an image of its own. */
const record = (hash: string, release: string): RevisionRecord => ({
  ...{ hash, release, sequence: 1, references: {} },
  source: { release, components: { ...spec.components, chat: { image: `chat:${release}` } } },
});
const ref = (hash: string, release: string) => ({ hash, release });

const atRest = object({
  stableRevision: ref('ccc333', '1.2.0'),
  updateRevision: ref('ccc333', '1.2.0'),
  history: [
    ended('ccc333', '1.2.0', 'Promoted'),
    ended('bbb222', '1.1.0', 'Aborted'),
    ended('aaa111', '1.0.0', 'FastPromoted'),
    ended('aaa000', '0.9.0', 'Promoted'),
  ],
});
const records = [
  record('ccc333', '1.2.0'),
  record('bbb222', '1.1.0'),
  record('aaa111', '1.0.0'),
  record('aaa000', '0.9.0'),
];

describe('[R-298] undo goes back to', () => {
  test.each([
    ['the last promoted one before stable, never to an aborted one', atRest, undefined, 'aaa111'],
    [
      'the stable one in mid-rollout',
      object({ ...atRest.status, updateRevision: ref('ddd444', '1.3.0') }),
      undefined,
      'ccc333',
    ],
    ['the one that is named', atRest, 'bbb222', 'bbb222'],
    ['the one whose hash begins so', atRest, 'bbb', 'bbb222'],
    ['the one with the label', atRest, '0.9.0', 'aaa000'],
  ])('%s', (_, from, to, hash) => {
    expect(chooseWayBack(from, records, to).record.hash).toBe(hash);
  });
});

test('a restart is no release to go back to', () => {
  const restarted = object({
    ...atRest.status,
    history: [
      ended('ccc333', '1.2.0', 'Promoted'),
      ended('cccccc', '1.2.0', 'Promoted'),
      ended('aaa111', '1.0.0', 'Promoted'),
    ],
  });
  const same = { ...record('cccccc', '1.2.0'), source: { release: '1.2.0', components: spec.components } };
  expect(chooseWayBack(restarted, [...records, same], undefined).record.hash).toBe('aaa111');
});

describe('undo refuses', () => {
  test.each([
    ['when nothing is stable yet', object({}), records, undefined, /no stable revision yet/],
    [
      'when nothing came before',
      object({ ...atRest.status, history: [] }),
      records,
      undefined,
      /no release before 1.2.0/,
    ],
    [
      'a record that is gone',
      atRest,
      records.slice(0, 2),
      undefined,
      /aaa111 is gone.*revisionHistoryLimit is 5.*apply its manifest/,
    ],
    [
      'a record without the spec',
      atRest,
      [{ ...record('aaa111', '1.0.0'), source: null }],
      undefined,
      /older operator wrote it/,
    ],
    ['the stable one', atRest, records, 'ccc333', /is the stable one already/],
    ['an unknown one', atRest, records, 'fff', /no revision "fff".*there are: ccc333 \(1.2.0\), bbb222/],
    ['an empty name', atRest, [...records, record('eee555', '')], '', /--to is empty: write a hash .*eee555/],
    ['what is not clear', atRest, records, 'aaa', /"aaa" is not clear: it may be aaa111 \(1.0.0\) or aaa000/],
    ['two letters of a hash', atRest, records, 'bb', /no revision "bb"/],
  ])('%s', (_, from, known, to, words) => {
    expect(() => chooseWayBack(from, known, to)).toThrow(words);
  });
});

test('going back leaves the number of pods as it is now', () => {
  const source = {
    release: '1.0.0',
    components: {
      chat: { image: 'chat:1.0.0', replicas: 1, env: [{ name: 'A', value: '1' }] },
      realtime: { image: 'realtime:1.0.0', replicas: 1 },
      gone: { image: 'gone:1.0.0', replicas: 3 },
    },
  };
  const autoscaling = { max: 9, metrics: [{ type: 'CPU' as const, targetPerPod: 70 }] };
  const present = {
    ...spec,
    components: {
      chat: { image: 'chat:2', replicas: 20 },
      realtime: { image: 'realtime:2', autoscaling },
      added: { image: 'added:2' },
    },
  };
  expect(goBack(present, source)).toEqual({
    release: '1.0.0',
    components: {
      chat: { image: 'chat:1.0.0', replicas: 20, env: [{ name: 'A', value: '1' }] },
      realtime: { image: 'realtime:1.0.0', autoscaling },
      gone: { image: 'gone:1.0.0', replicas: 3 },
    },
  });
});

describe('a record', () => {
  test.each([
    [
      'of ours',
      { hash: 'a', release: '1', components: {}, source: { release: '1', components: {} } },
      { release: '1', components: {} },
    ],
    ['without a source', { hash: 'a', release: '1', components: {} }, null],
    ['with a broken source', { hash: 'a', source: { components: 'x' } }, null],
  ])('%s', (_, data, source) => {
    expect(readRecord({ revision: 4, data })).toMatchObject({ hash: 'a', sequence: 4, source });
  });

  test.each([[null], [undefined], ['text'], [{ other: 1 }]])('%j is none', (data) => {
    expect(readRecord({ data })).toBeNull();
  });
});
