// The paths of the kill points: each what people do in one story, and nothing goes wrong but the kill itself. Times do not depend on what the
// operator has written, so that a killed run meets the same people as the undisturbed one.
import type { People } from '../schedule/people.ts';
import type { STRATEGIES } from '../schedule/specs.ts';
import type { Scene } from './scene.ts';

export interface Path {
  /** The strategy that 1.0.0 is installed with; default canary. */
  readonly strategy?: keyof typeof STRATEGIES;
  /** Begins with nothing there; otherwise 1.0.0 is installed and at rest. */
  readonly fromNothing?: true;
  readonly story: (people: People, scene: Scene) => Promise<void>;
}

/** Long enough for a killed operator to get where the other one is. */
const HELD_MS = 14_000;

/** 1.1.0 is released, and waits at its first pause. */
async function held(people: People, pass: Scene['pass']): Promise<void> {
  people.release('1.1.0');
  await pass(HELD_MS);
}

/** 1.1.0 is released, and called back by a person. */
async function aborted(people: People, pass: Scene['pass']): Promise<void> {
  await held(people, pass);
  people.verb('abort', 'too many errors');
}

export const PATHS: Readonly<Record<string, Path>> = {
  'first install': {
    fromNothing: true,
    story: async (people, { quiet }) => {
      people.create();
      await quiet();
    },
  },
  canary: {
    story: async (people, { quiet }) => {
      people.release('1.1.0');
      await quiet();
    },
  },
  'blue-green': {
    strategy: 'blueGreen',
    story: async (people, { quiet }) => {
      people.release('1.1.0');
      await quiet();
    },
  },
  'preview promoted by a person': {
    strategy: 'preview',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.verb('promote', 'step');
      await quiet();
    },
  },
  'promoted step by step, then fully': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.verb('promote', 'step');
      await pass(HELD_MS);
      people.verb('promote', 'full');
      await quiet();
    },
  },
  'abort by a person': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await aborted(people, pass);
      await quiet();
    },
  },
  'abort by a person, then retry': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await aborted(people, pass);
      await pass(HELD_MS);
      people.verb('retry', '');
      await pass(HELD_MS);
      people.verb('promote', 'full');
      await quiet();
    },
  },
  'abort by a person, back, and the same release again': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await aborted(people, pass);
      await pass(HELD_MS);
      people.release('1.0.0');
      await pass(HELD_MS);
      people.release('1.1.0');
      await quiet();
    },
  },
  'abort by the progress deadline': {
    story: async (people, { quiet }) => {
      people.release('9.9.9');
      await quiet();
    },
  },
  'blue-green, abort by the progress deadline': {
    strategy: 'blueGreen',
    story: async (people, { quiet }) => {
      people.release('9.9.9');
      await quiet();
    },
  },
  'an analysis that passes': {
    strategy: 'analysed',
    story: async (people, { quiet }) => {
      people.release('1.1.0');
      await quiet();
    },
  },
  'abort by a metric, then retry': {
    strategy: 'analysed',
    story: async (people, { pass, quiet }) => {
      people.release('6.6.6');
      await pass(30_000);
      people.verb('retry', '');
      await quiet();
    },
  },
  'blue-green, judged before and after': {
    strategy: 'judged',
    story: async (people, { pass, quiet }) => {
      people.release('6.6.6');
      await pass(30_000);
      people.release('1.1.0');
      await quiet();
    },
  },
  undo: {
    story: async (people, { pass, quiet }) => {
      people.release('1.1.0');
      await pass(45_000);
      people.undo();
      await quiet();
    },
  },
  'undo in mid-rollout': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.undo();
      await quiet();
    },
  },
  'new spec in mid-rollout': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.release('1.2.0');
      await pass(30_000);
      people.verb('promote', 'full');
      await quiet();
    },
  },
  'edited steps in mid-rollout': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.strategy('short');
      await quiet();
    },
  },
  'a restart': {
    story: async (people, { quiet }) => {
      people.restart(Date.UTC(2026, 0, 2));
      await quiet();
    },
  },
  'a changed ConfigMap': {
    story: async (people, { quiet }) => {
      people.configure(1);
      await quiet();
    },
  },
  'more pods, then fewer': {
    story: async (people, { pass, quiet }) => {
      people.scale(4);
      await pass(HELD_MS);
      people.scale(1);
      await quiet();
    },
  },
  'a component comes, and leaves again': {
    strategy: 'short',
    story: async (people, { pass, quiet }) => {
      people.compose('withVoice');
      await pass(45_000);
      people.compose('both');
      await quiet();
    },
  },
  'paused in mid-rollout': {
    story: async (people, { pass, quiet }) => {
      people.release('1.1.0');
      await pass(1500);
      people.pause(true);
      await pass(HELD_MS);
      people.pause(false);
      await quiet();
    },
  },
  delete: {
    story: async (people, { quiet }) => {
      people.delete();
      await quiet();
    },
  },
  'delete in mid-rollout': {
    strategy: 'held',
    story: async (people, { pass, quiet }) => {
      await held(people, pass);
      people.delete();
      await quiet();
    },
  },
};
