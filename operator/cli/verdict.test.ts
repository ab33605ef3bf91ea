import { VERBS, type AssistantDeployment } from '@assistant-platform/api';
import { RESTART_ANNOTATION as RESTART } from '@assistant-platform/operator/rollout';
import { expect, test } from 'vitest';
import { scenes } from './testing/scenes.ts';
import { verdictOf } from './verdict.ts';

test.each([
  ['healthy', 'Good'],
  ['installing', 'UnderWay'],
  ['canary-analysis', 'UnderWay'],
  ['canary-paused', 'UnderWay'],
  ['image-missing', 'UnderWay'],
  ['aborted', 'Bad'],
  ['blue-green-preview', 'UnderWay'],
  ['promoted-draining', 'Good'],
  ['unseen-spec', 'UnderWay'],
  ['no-status', 'UnderWay'],
  ['order-untaken', 'UnderWay'],
  ['paused-by-spec', 'UnderWay'],
])('%s is %s', (title, verdict) => {
  expect(verdictOf(scenes.find((scene) => scene.title === title)!.object)).toBe(verdict);
});

const annotated = (title: string, annotations: Readonly<Record<string, string>>): AssistantDeployment => {
  const { object } = scenes.find((scene) => scene.title === title)!;
  return { ...object, metadata: { ...object.metadata, annotations } };
};
const order = 'assistant-platform.io/order';
const abortedAt = scenes.find(({ title }) => title === 'aborted')!.object.status!.abort!.at;

test.each([
  ['a verb that is not taken yet', 'aborted', { [VERBS.retry]: '' }, 'UnderWay'],
  ['a restart that is not taken yet', 'healthy', { [VERBS.restart]: '2026-11-21T10:00:00Z' }, 'UnderWay'],
  [
    'a retry that is taken and not begun',
    'aborted',
    { [order]: JSON.stringify({ verb: 'retry', revision: '8d1b2a', abortedAt }) },
    'UnderWay',
  ],
  [
    'a retry of an earlier abort',
    'aborted',
    { [order]: JSON.stringify({ verb: 'retry', revision: '8d1b2a', abortedAt: 'before' }) },
    'Bad',
  ],
  [
    'a restart that is taken and not begun',
    'healthy',
    { [RESTART]: JSON.stringify({ at: 'x', of: '6c9f7d' }) },
    'UnderWay',
  ],
  ['a restart that is over', 'healthy', { [RESTART]: JSON.stringify({ at: 'x', of: 'other' }) }, 'Good'],
])('%s', (_, title, annotations, verdict) => {
  expect(verdictOf(annotated(title, annotations))).toBe(verdict);
});

test('every scene is judged above', () => {
  expect(scenes).toHaveLength(12);
});

test('a phase that a later operator has is not the end of anything', () => {
  const { object } = scenes.find(({ title }) => title === 'healthy')!;
  const later = { ...object, status: { ...object.status, phase: 'Hibernating' } } as unknown as AssistantDeployment;
  expect(verdictOf(later)).toBe('UnderWay');
});
