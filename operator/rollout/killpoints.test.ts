// The operator is killed before every single write of every path, and starts again from what is there: always the end of the undisturbed run
// (invariant 7 of docs/concepts/safety.md).
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import type { Measurement } from './analysis/measurement.ts';
import {
  blueGreen,
  canary,
  SAMPLE_METRICS,
  sampleRelease,
  withReplicas,
  withStrategy,
  withVersion,
} from './releases.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

type Path = (run: WorldRun) => void;

const edit = (run: WorldRun, change: Parameters<World['edit']>[0]): void => {
  run.world.edit(change);
  run.settle();
};
const verb = (run: WorldRun, annotations: Record<string, string>): void => {
  run.world.annotate(annotations);
  run.settle();
};
const quiet = (run: WorldRun): void => {
  expect(run.untilQuiet(600_000, 30_000), run.log.slice(-10).join('\n')).toBe(true);
};
const next = (run: WorldRun, version = '1.1.0'): void => edit(run, (release) => withVersion(release, version));
const HELD = canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }]);

const ANALYSED = canary([
  { setWeight: 20 },
  { analysis: { metrics: ['errors'], duration: '20s', interval: '10s' } },
  { setWeight: 60 },
]);
const reading = (value: number): Measurement['result'] => {
  const one = { value, samples: 1000, evidence: null };
  return { kind: 'Reading', update: one, stable: one };
};

const withSettings: Parameters<World['edit']>[0] = (release) => ({
  ...release,
  components: Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [
      name,
      { ...component, envFrom: [{ configMapRef: { name: 'settings' } }] },
    ]),
  ),
});

/** Each begins with an installed 1.0.0, except the first. */
const PATHS: Record<string, { strategy?: ReturnType<typeof canary>; installed?: false; path: Path }> = {
  'first install': { installed: false, path: quiet },
  canary: {
    path: (run) => {
      next(run);
      quiet(run);
    },
  },
  'blue-green': {
    strategy: blueGreen(),
    path: (run) => {
      next(run);
      quiet(run);
    },
  },
  'promote step, then full': {
    strategy: HELD,
    path: (run) => {
      next(run);
      run.run(8000);
      verb(run, { [VERBS.promote]: 'step' });
      run.run(500);
      verb(run, { [VERBS.promote]: 'full' });
      quiet(run);
    },
  },
  'abort by a person, then retry': {
    strategy: HELD,
    path: (run) => {
      next(run);
      run.run(8000);
      verb(run, { [VERBS.abort]: 'bad' });
      run.run(3000);
      verb(run, { [VERBS.retry]: '' });
      run.run(12_000);
      verb(run, { [VERBS.promote]: 'full' });
      quiet(run);
    },
  },
  'abort by the deadline': {
    path: (run) => {
      run.world.brokenImages.add('localhost/assistant/chat:9.9.9');
      next(run, '9.9.9');
      quiet(run);
    },
  },
  restart: {
    path: (run) => {
      verb(run, { [VERBS.restart]: '2026-01-31T12:00:00Z' });
      quiet(run);
    },
  },
  'contents change': {
    path: (run) => {
      run.world.references['ConfigMap/settings'] = 'one';
      edit(run, withSettings);
      run.run(30_000);
      run.world.references['ConfigMap/settings'] = 'two';
      verb(run, { note: 'changed' });
      quiet(run);
    },
  },
  'an analysis that passes': {
    strategy: ANALYSED,
    path: (run) => {
      next(run);
      quiet(run);
    },
  },
  'abort by a metric, then retry': {
    strategy: ANALYSED,
    path: (run) => {
      run.world.readings = () => reading(0.05);
      next(run);
      run.run(60_000);
      run.world.readings = () => reading(0.001);
      verb(run, { [VERBS.retry]: '' });
      quiet(run);
    },
  },
  'new spec in mid-rollout': {
    strategy: HELD,
    path: (run) => {
      next(run);
      run.run(8000);
      next(run, '1.2.0');
      run.run(20_000);
      verb(run, { [VERBS.promote]: 'full' });
      quiet(run);
    },
  },
  'back to stable in mid-rollout': {
    strategy: HELD,
    path: (run) => {
      next(run);
      run.run(8000);
      next(run, '1.0.0');
      quiet(run);
    },
  },
  'back to the revision before, while that one drains': {
    strategy: canary([{ setWeight: 50 }]),
    path: (run) => {
      run.world.options = { ...run.world.options, leaveEveryMs: 3000 };
      next(run);
      run.run(8000);
      next(run, '1.0.0');
      quiet(run);
    },
  },
  'more pods, then fewer': {
    path: (run) => {
      edit(run, (release) => withReplicas(release, 4));
      run.run(5000);
      edit(run, (release) => withReplicas(release, 1));
      quiet(run);
    },
  },
  'a component leaves, another comes': {
    path: (run) => {
      edit(run, (release) => ({
        ...withVersion(release, '1.1.0'),
        components: withVersion(sampleRelease('x', canary(), ['chat', 'voice']), '1.1.0').components,
      }));
      quiet(run);
    },
  },
  'canary to blue-green in mid-rollout': {
    path: (run) => {
      next(run);
      run.run(4000);
      edit(run, (release) => withStrategy(release, blueGreen()));
      quiet(run);
    },
  },
  deletion: {
    path: (run) => {
      next(run);
      run.run(4000);
      run.world.delete();
      run.run(60_000, 100);
      expect(run.world.exists).toBe(false);
    },
  },
};

function start(name: string): WorldRun {
  const { strategy = canary(), installed = true } = PATHS[name] ?? {};
  const run = new WorldRun(new World(sampleRelease('1.0.0', strategy, undefined, SAMPLE_METRICS)));
  run.world.readings = () => reading(0.001);
  if (installed) run.run(6000);
  run.log.length = 0;
  return run;
}

/** Everything but times. */
function end(run: WorldRun): unknown {
  const { world } = run;
  // Of what is deleted, what it said last does not matter.
  const status = world.exists ? world.status : {};
  return {
    exists: world.exists,
    phase: status.phase,
    stable: status.stableRevision,
    update: status.updateRevision?.hash,
    step: [status.step?.index, status.step?.count],
    weight: [status.weight?.requested, status.weight?.routed],
    abort: status.abort?.by,
    outcomes: status.history?.map(({ hash, outcome }) => [hash, outcome]),
    waits: status.blockedBy?.map(({ reason }) => reason),
    conditions: status.conditions?.map(({ type, status: holds, reason }) => [type, holds, reason]),
    workloads: [...world.workloads.values()]
      .map(({ name, replicas, drain }) => [name, replicas, drain === null])
      .sort(),
    pods: world.pods.map(({ component, revision, ready }) => `${component} ${revision} ${ready}`).sort(),
    routes: [...world.routes.values()].map(({ intent }) => intent).sort((a, b) => (a.component < b.component ? -1 : 1)),
    services: [...world.services.keys()].sort(),
    budgets: [...world.budgets.keys()].sort(),
    records: [...world.records.keys()].sort(),
    copies: [...world.copies.keys()].sort(),
  };
}

// Every point takes two minutes: KILL_POINTS=all. Otherwise every seventh.
const STRIDE = process.env['KILL_POINTS'] === 'all' ? 1 : 7;

describe('killed before every single write [R-300]', () => {
  it.each(Object.entries(PATHS))(
    '%s',
    (name, { path }) => {
      const undisturbed = start(name);
      path(undisturbed);
      expect(undisturbed.violations).toEqual([]);
      const expected = end(undisturbed);
      const writes = undisturbed.log.length;
      expect(writes).toBeGreaterThan(5);
      for (let point = 0; point < writes; point += STRIDE) {
        const killed = start(name);
        killed.killAfter = point;
        path(killed);
        expect(killed.violations, `killed before write ${point}: ${undisturbed.log[point] ?? ''}`).toEqual([]);
        expect(end(killed), `killed before write ${point}: ${undisturbed.log[point] ?? ''}`).toEqual(expected);
      }
    },
    120_000,
  );
});
