// Random schedules of people, faults and kills in the model world; the invariants of docs/concepts/safety.md hold at every write and every moment.
// A failing run prints its seed and the shrunk schedule; FAST_CHECK_SEED replays it, FAST_CHECK_RUNS makes it longer.
import { VERBS } from '@assistant-platform/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blueGreen, canary, sampleRelease, withReplicas, withStrategy, withVersion } from './releases.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

type Action =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'release'; readonly version: string }
  | { readonly do: 'strategy'; readonly kind: 'canary' | 'short' | 'held' | 'blueGreen' | 'preview' }
  | { readonly do: 'replicas'; readonly count: number }
  | { readonly do: 'pause'; readonly on: boolean }
  | { readonly do: 'verb'; readonly verb: 'promote' | 'full' | 'abort' | 'retry' }
  | { readonly do: 'kill'; readonly after: number }
  | { readonly do: 'podDies'; readonly index: number }
  | { readonly do: 'gateway'; readonly stalled: boolean }
  | { readonly do: 'stay'; readonly stubborn: boolean };

const broken = '9.9.9';

const peaceful: fc.Arbitrary<Action>[] = [
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(50, 300, 1000, 2500, 6000, 30_000) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(500, 1500, 4000) }),
  fc.record({ do: fc.constant('release' as const), version: fc.constantFrom('1.0.0', '1.1.0', '1.2.0', broken) }),
  fc.record({
    do: fc.constant('strategy' as const),
    kind: fc.constantFrom(
      'canary' as const,
      'short' as const,
      'held' as const,
      'blueGreen' as const,
      'preview' as const,
    ),
  }),
  fc.record({ do: fc.constant('replicas' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('pause' as const), on: fc.boolean() }),
  fc.record({
    do: fc.constant('verb' as const),
    verb: fc.constantFrom('promote' as const, 'full' as const, 'abort' as const, 'retry' as const),
  }),
  fc.record({ do: fc.constant('kill' as const), after: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ do: fc.constant('stay' as const), stubborn: fc.boolean() }),
  fc.record({ do: fc.constant('gateway' as const), stalled: fc.boolean() }),
];

const rough: fc.Arbitrary<Action>[] = [
  ...peaceful,
  fc.record({ do: fc.constant('podDies' as const), index: fc.nat(20) }),
];

const strategies = {
  canary: canary(),
  short: canary([{ setWeight: 30 }]),
  held: canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }]),
  blueGreen: blueGreen(),
  preview: blueGreen({ autoPromote: false }),
};

const verbs = {
  promote: { [VERBS.promote]: 'step' },
  full: { [VERBS.promote]: 'full' },
  abort: { [VERBS.abort]: 'too many errors' },
  retry: { [VERBS.retry]: '' },
};

function perform(action: Action, run: WorldRun): void {
  const { world } = run;
  switch (action.do) {
    case 'wait':
      run.run(action.ms);
      break;
    case 'release':
      world.edit((release) => withVersion(release, action.version));
      break;
    case 'strategy':
      world.edit((release) => withStrategy(release, strategies[action.kind]));
      break;
    case 'replicas':
      world.edit((release) => withReplicas(release, action.count));
      break;
    case 'pause':
      world.edit((release) => ({ ...release, paused: action.on }));
      break;
    case 'verb':
      world.annotate(verbs[action.verb]);
      break;
    case 'kill':
      run.killAfter = action.after;
      break;
    case 'podDies':
      run.disturbed = true;
      world.killPod(action.index);
      break;
    case 'gateway':
      world.gatewayStalled = action.stalled;
      break;
    case 'stay':
      world.options = { ...world.options, leaveEveryMs: action.stubborn ? 0 : 400 };
      break;
  }
  run.settle();
}

function newRun(): WorldRun {
  const world = new World(sampleRelease('1.0.0'));
  for (const name of ['chat', 'realtime']) world.brokenImages.add(`localhost/assistant/${name}:${broken}`);
  return new WorldRun(world);
}

/** Everything heals, nobody holds anything back: where does it come to rest? */
function heal(run: WorldRun): void {
  const { world } = run;
  world.gatewayStalled = false;
  run.killAfter = null;
  world.options = { ...world.options, leaveEveryMs: 400 };
  world.edit((release) => withStrategy({ ...withVersion(release, '2.0.0'), paused: false }, strategies.short));
}

function check(run: WorldRun): void {
  expect(run.violations, run.log.slice(-40).join('\n')).toEqual([]);
}

const parameters = {
  numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 12),
  ...(process.env['FAST_CHECK_SEED'] === undefined ? {} : { seed: Number(process.env['FAST_CHECK_SEED']) }),
};

describe('invariants under random schedules', () => {
  it.each([
    ['people, kills and a gateway that stalls [R-293] [R-297] [R-307]', peaceful],
    ['dying pods as well', rough],
  ])(
    '%s',
    (_title, actions) => {
      fc.assert(
        fc.property(fc.array(fc.oneof(...actions), { minLength: 3, maxLength: 25 }), (schedule) => {
          const run = newRun();
          run.run(3000);
          for (const action of schedule) perform(action, run);
          check(run);
          heal(run);
          expect(run.untilQuiet(), `never quiet: ${run.log.slice(-12).join('\n')}`).toBe(true);
          check(run);
          const { status } = run.world;
          expect(status.phase, run.log.slice(-12).join('\n')).toBe('Healthy');
          expect(status.stableRevision?.release).toBe('2.0.0');
          // Nothing is left of the others but what the history limit keeps, without pods.
          expect(new Set(run.world.pods.map((pod) => pod.revision))).toEqual(new Set([status.stableRevision?.hash]));
          const before = run.log.length;
          run.run(3_600_000, 5000);
          expect(run.log.slice(before), 'writes at rest').toEqual([]);
          run.world.delete();
          run.run(120_000, 500);
          check(run);
          expect(run.world.exists, 'not gone').toBe(false);
          expect(
            [
              run.world.pods,
              ...[run.world.workloads, run.world.services, run.world.budgets, run.world.records, run.world.routes].map(
                (map) => [...map.keys()],
              ),
            ].flat(),
          ).toEqual([]);
          expect(run.world.adminSecret).toBe(false);
        }),
        parameters,
      );
    },
    300_000,
  );
});
