// Pods that go without having been asked by us (node drain, scheduler, kubectl), and containers that restart while they are drained.
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import type { Plan } from './plan-types.ts';
import { canary, sampleRelease, withVersion } from './releases.ts';
import type { Pod, Sessions } from './snapshot.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

function installed(): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', canary())));
  run.run(8000);
  return run;
}

/** The plan with some pods seen otherwise than they are. */
function planWith(run: WorldRun, change: (pod: Pod) => Partial<Pod>, after = 0): Plan {
  const snapshot = run.world.snapshot();
  return plan({ ...snapshot, pods: snapshot.pods.map((pod) => ({ ...pod, ...change(pod) })) }, run.world.now + after);
}

const known = (open: number, busy = 0, draining = false): Sessions => ({ kind: 'known', open, busy, draining });
const orders = ({ writes }: Plan) => writes.flatMap((write) => (write.kind === 'DrainPod' ? [write] : []));

describe('a pod that somebody else deletes [R-304]', () => {
  const run = installed();
  const victim = run.world.pods.find(({ component }) => component === 'realtime')?.name ?? '';
  const removal = { startedAt: run.world.now, deadline: run.world.now + 65_000 };
  const evicted =
    (change: Partial<Pod> = {}) =>
    ({ name }: Pod): Partial<Pod> =>
      name === victim ? { terminating: true, removal, ready: false, sessions: known(12, 3), ...change } : {};

  it('is shown in status.draining with its own times, and its sessions are watched', () => {
    const { status, watchSessions } = planWith(run, evicted());
    expect(status.draining).toEqual([
      {
        hash: run.world.status.stableRevision?.hash,
        component: 'realtime',
        ...{ sockets: 12, busy: 3, forced: false },
        startedAt: new Date(removal.startedAt).toISOString(),
        deadline: new Date(removal.deadline).toISOString(),
      },
    ]);
    expect(status.conditions?.find(({ type }) => type === 'Draining')).toMatchObject({ status: 'True' });
    expect(watchSessions).toBe(true);
  });

  it('is not shown any more when nobody is on it', () => {
    expect(planWith(run, evicted({ sessions: known(0, 0, true) })).status.draining).toBeUndefined();
    expect(planWith(run, evicted({ running: false })).status.draining).toBeUndefined();
  });

  it('is told to drain once no gateway sends to it any more, with the time that the spec and the kubelet leave', () => {
    expect(orders(planWith(run, evicted()))).toEqual([]); // deleted this very moment
    expect(orders(planWith(run, evicted({ ready: true }), 5000))).toEqual([]); // still an endpoint
    const [order, ...others] = orders(planWith(run, evicted(), 5000));
    expect(others).toEqual([]);
    // The spec's 20 s, of which 5 are over; the kubelet would wait longer.
    expect(order).toMatchObject({ pod: { name: victim }, deadlineSeconds: 15, closePerSecond: 50 });
    const short = { startedAt: removal.startedAt, deadline: removal.startedAt + 12_000 };
    expect(orders(planWith(run, evicted({ removal: short }), 5000))[0]).toMatchObject({ deadlineSeconds: 7 });
  });

  it('is told once: not when it drains already, nor when it could not hear it', () => {
    for (const sessions of [known(12, 3, true), { kind: 'unsupported' } as const])
      expect(orders(planWith(run, evicted({ sessions }), 5000))).toEqual([]);
    expect(orders(planWith(run, evicted({ running: false }), 5000))).toEqual([]);
  });
});

describe('a container that is drained', () => {
  /** In the middle of the drain of the old revision. */
  function draining(): { run: WorldRun; old: Pod } {
    const run = installed();
    run.world.edit((before) => withVersion(before, '1.1.0'));
    for (let steps = 0; steps < 400; steps++) {
      run.run(100);
      const stable = run.world.status.stableRevision?.hash;
      const old = run.world.snapshot().pods.find((pod) => pod.revision !== stable && pod.sessions.kind === 'known');
      if (run.world.status.draining !== undefined && old !== undefined) return { run, old };
    }
    throw new Error('the old revision was never drained');
  }

  it('and restarts is told again, for what is left of its time, and does not go before it says that it drains', () => {
    const { run, old } = draining();
    const restarted = planWith(run, ({ revision }) => (revision === old.revision ? { sessions: known(0) } : {}));
    const told = orders(restarted).filter(({ pod }) => pod.revision === old.revision);
    expect(told.map(({ pod }) => pod.name)).toContain(old.name);
    const deadline = Date.parse(run.world.status.draining?.[0]?.deadline ?? '');
    expect(told[0]?.deadlineSeconds).toBe(Math.ceil((deadline - run.world.now) / 1000));
    const removed = restarted.writes.filter((write) => write.kind === 'PatchWorkload' && write.replicas === 0);
    expect(removed).toEqual([]);
  });

  it('and crashes holds nobody: its pods may go', () => {
    const { run, old } = draining();
    const { writes } = planWith(run, ({ revision }) =>
      revision === old.revision ? { running: false, ready: false, sessions: { kind: 'unknown' } } : {},
    );
    const removed = writes.filter((write) => write.kind === 'PatchWorkload' && write.replicas === 0);
    expect(removed.length).toBeGreaterThan(0);
  });
});

describe('the condition that pods are drained by time', () => {
  const reasonOf = ({ status }: Plan) => status.conditions?.find(({ type }) => type === 'Draining')?.message;

  it('speaks of pods that serve without an admin port, not of those that are only starting', () => {
    const run = installed();
    const without: Partial<Pod> = { sessions: { kind: 'unsupported' } };
    expect(reasonOf(planWith(run, () => without))).toContain('drained by time alone');
    expect(reasonOf(planWith(run, () => ({ ...without, ready: false })))).toBe('');
    expect(reasonOf(planWith(run, () => ({})))).toBe('');
  });
});
