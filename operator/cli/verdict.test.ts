import { expect, test } from 'vitest';
import { scenes } from './testing/scenes.ts';
import { verdictOf } from './verdict.ts';

test.each([
  ['healthy', 'Good'],
  ['canary-analysis', 'UnderWay'],
  ['canary-paused', 'UnderWay'],
  ['image-missing', 'UnderWay'],
  ['aborted', 'Bad'],
  ['blue-green-preview', 'UnderWay'],
  ['promoted-draining', 'Good'],
  ['unseen-spec', 'UnderWay'],
  ['no-status', 'UnderWay'],
  ['paused-by-spec', 'UnderWay'],
])('%s is %s', (title, verdict) => {
  expect(verdictOf(scenes.find((scene) => scene.title === title)!.object)).toBe(verdict);
});

test('every scene is judged above', () => {
  expect(scenes).toHaveLength(10);
});
