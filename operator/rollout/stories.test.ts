// Whole releases, compared line by line with what they were: testdata/stories has each as a text to be read. After a change that is meant, run
// `npx vitest run --project unit operator/rollout/stories.test.ts -u` and read the difference before it is committed.
import { VERBS } from '@assistant-platform/api';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Reading } from './analysis/measurement.ts';
import {
  blueGreen,
  canary,
  SAMPLE_METRICS,
  sampleRelease,
  withReplicas,
  withStrategy,
  withVersion,
} from './releases.ts';
import type { World } from './world.ts';
import { Story } from './worldStory.ts';

const HELD = canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }]);
/** Few people, so that a story has few lines about them. */
const FEW = { arriveEveryMs: 2000, socketsAtMost: 3 };

const release = (version: string) => (world: World) => world.edit((before) => withVersion(before, version));
const verb = (name: keyof typeof VERBS, value: string) => (world: World) => world.annotate({ [VERBS[name]]: value });

const reading = (share: number): Reading => ({
  value: share,
  samples: 1000,
  evidence: { events: share * 1000, trials: 1000 },
});

/** 1.0.0 is installed; the story begins after that. */
function installed(strategy = canary(), metrics = SAMPLE_METRICS, options = FEW): Story {
  return new Story(sampleRelease('1.0.0', strategy, ['chat', 'realtime'], metrics), options).pass(8000).from();
}

const STORIES: Readonly<Record<string, () => Story>> = {
  'first install': () => new Story(sampleRelease('1.0.0'), FEW).pass(8000),
  canary: () => installed().person('releases 1.1.0', release('1.1.0')).pass(60_000),
  'blue-green': () => installed(blueGreen()).person('releases 1.1.0', release('1.1.0')).pass(30_000),
  'promoted by a person': () =>
    installed(HELD)
      .person('releases 1.1.0', release('1.1.0'))
      .pass(8000)
      .person('promotes the step', verb('promote', 'step'))
      .pass(500)
      .person('promotes fully', verb('promote', 'full'))
      .pass(30_000),
  'aborted, and tried again': () =>
    installed(HELD)
      .person('releases 1.1.0', release('1.1.0'))
      .pass(8000)
      .person('aborts', verb('abort', 'wrong answers'))
      .pass(3000)
      .person('tries again', verb('retry', ''))
      .pass(8000),
  'aborted by the deadline': () =>
    installed()
      .person('releases an image that does not exist', (world) => {
        world.brokenImages.add('localhost/assistant/chat:9.9.9');
        release('9.9.9')(world);
      })
      .pass(70_000),
  'aborted by a metric': () =>
    installed(
      canary([{ setWeight: 20 }, { analysis: { metrics: ['errors', 'ratio'], duration: '30s', interval: '10s' } }]),
    )
      .person('releases 1.1.0, which errs', (world) => {
        world.readings = () => ({ kind: 'Reading', update: reading(0.05), stable: reading(0.002) });
        release('1.1.0')(world);
      })
      .pass(40_000),
  'another release in the middle': () =>
    installed(HELD)
      .person('releases 1.1.0', release('1.1.0'))
      .pass(8000)
      .person('releases 1.2.0', release('1.2.0'))
      .pass(12_000)
      .person('goes back to 1.0.0', release('1.0.0'))
      .pass(20_000),
  'more pods, then fewer': () =>
    installed()
      .person('wants 4 pods', (world) => world.edit((before) => withReplicas(before, 4)))
      .pass(5000)
      .person('wants 1 pod', (world) => world.edit((before) => withReplicas(before, 1)))
      .pass(25_000),
  'canary to blue-green in the middle': () =>
    installed(HELD)
      .person('releases 1.1.0', release('1.1.0'))
      .pass(8000)
      .person('wants blue-green', (world) =>
        world.edit((before) => withStrategy(before, blueGreen({ autoPromote: false }))),
      )
      .pass(8000),
  paused: () =>
    installed()
      .person('releases 1.1.0 and pauses', (world) =>
        world.edit((before) => ({ ...withVersion(before, '1.1.0'), paused: true })),
      )
      .pass(3000)
      .person('goes on', (world) => world.edit((before) => ({ ...before, paused: false })))
      .pass(1000)
      .person('pauses', (world) => world.edit((before) => ({ ...before, paused: true })))
      .pass(3000),
  'one component leaves, another comes': () =>
    installed(canary([{ setWeight: 30 }]))
      .person('has search in the place of realtime', (world) =>
        world.edit(() => sampleRelease('1.1.0', canary([{ setWeight: 30 }]), ['chat', 'search'])),
      )
      .pass(30_000),
  'contents change': () =>
    installed(canary([{ setWeight: 30 }]))
      .person('reads a ConfigMap that does not exist', (world) =>
        world.edit((before) => ({
          ...before,
          components: Object.fromEntries(
            Object.entries(before.components).map(([name, component]) => [
              name,
              { ...component, envFrom: [{ configMapRef: { name: 'settings' } }] },
            ]),
          ),
        })),
      )
      .pass(2000)
      .person('creates it', (world) => {
        world.references['ConfigMap/settings'] = 'one';
        world.annotate({ note: 'created' });
      })
      .pass(25_000),
  restarted: () =>
    installed(canary([{ setWeight: 50 }]))
      .person('restarts', verb('restart', '2026-01-31T12:00:00Z'))
      .pass(25_000),
  deleted: () =>
    installed()
      .person('releases 1.1.0', release('1.1.0'))
      .pass(6000)
      .person('deletes it', (world) => world.delete())
      .pass(40_000),
};

it.each(Object.entries(STORIES))('%s', async (name, tell) => {
  const file = join(import.meta.dirname, 'testdata/stories', `${name.replaceAll(/[^a-z-]+/g, '-')}.txt`);
  await expect(tell().text()).toMatchFileSnapshot(file);
});
