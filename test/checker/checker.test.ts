// The checker on its smallest worlds: the real decision keeps every invariant there, and decisions with planted bugs do not.
import { describe, expect, it } from 'vitest';
import { plan as decision } from '../../operator/rollout/plan.ts';
import type { Plan, Write } from '../../operator/rollout/plan-types.ts';
import type { Snapshot } from '../../operator/rollout/snapshot.ts';
import { explore, type Result } from './explore.ts';
import type { Decide } from './transitions.ts';
import { smallWorld, type World } from './worlds.ts';

/** The decision with its writes changed. */
const withWrites =
  (change: (writes: readonly Write[], snapshot: Snapshot) => readonly Write[]): Decide =>
  (snapshot, now): Plan => {
    const plan = decision(snapshot, now);
    return { ...plan, writes: change(plan.writes, snapshot) };
  };

const withoutService = (component: string) => (write: Write) =>
  write.kind !== 'Apply' ||
  write.object.kind !== 'Service' ||
  !write.object.metadata.name.startsWith(`support-${component}-`);

const INSTALL = smallWorld('canary', [], { crash: 1, stale: 1 }, 'Empty');
const RELEASE = smallWorld('canary', ['release 1.1.0']);
const ABORT = smallWorld('canary', ['release 1.1.0', 'abort']);
const DELETE = smallWorld('blue-green', ['delete']);

const violated = ({ violations }: Result): number[] =>
  [...new Set(violations.map(({ invariant }) => invariant))].sort((a, b) => a - b);

describe('the real decision', () => {
  it.each([INSTALL, RELEASE, ABORT, DELETE])('keeps every invariant: $name', (world) => {
    const result = explore(world);
    expect(result.violations).toEqual([]);
    expect(result.cut).toBeNull();
    expect(result.states).toBeGreaterThan(50);
    expect(result.ends).toBeGreaterThan(0);
  });

  it('is visited the same way each time', () => {
    const [one, other] = [explore(INSTALL), explore(INSTALL)];
    expect([one.states, one.transitions, one.depth]).toEqual([other.states, other.transitions, other.depth]);
  });

  it('says when a limit cut the visit short', () => {
    expect(explore(RELEASE, { limits: { states: 50 } })).toMatchObject({ states: 50, cut: '50 states, then no more' });
    expect(explore(RELEASE, { limits: { depth: 5 } })).toMatchObject({ depth: 5, cut: 'nothing further than 5 steps' });
  });
});

interface Bug {
  readonly bug: string;
  readonly breaks: number;
  readonly world: World;
  readonly decide: Decide;
}

const BUGS: readonly Bug[] = [
  {
    bug: 'takes every pod for ready, so that weight comes before capacity',
    breaks: 1,
    world: RELEASE,
    decide: (snapshot, now) =>
      decision({ ...snapshot, pods: snapshot.pods.map((pod) => ({ ...pod, running: true, ready: true })) }, now),
  },
  {
    bug: 'gives 90 % in place of 80 %',
    breaks: 2,
    world: RELEASE,
    decide: withWrites((writes) =>
      writes.map((write) =>
        write.kind === 'WriteRoute'
          ? {
              ...write,
              intent: {
                ...write.intent,
                backends: write.intent.backends.map((each) => (each.weight === 80 ? { ...each, weight: 90 } : each)),
              },
            }
          : write,
      ),
    ),
  },
  {
    bug: 'does not wait for the drain',
    breaks: 3,
    world: DELETE,
    decide: withWrites((writes) =>
      writes.map((write) =>
        write.kind === 'PatchWorkload' && write.drain !== null ? { ...write, replicas: 0 } : write,
      ),
    ),
  },
  {
    bug: 'leaves the routes alone after an abort',
    breaks: 6,
    world: ABORT,
    decide: withWrites((writes, { subject }) =>
      subject.status.abort === undefined ? writes : writes.filter(({ kind }) => kind !== 'WriteRoute'),
    ),
  },
  {
    bug: 'makes the Service of realtime only together with that of chat',
    breaks: 7,
    world: INSTALL,
    decide: withWrites((writes) =>
      writes.every(withoutService('chat')) ? writes.filter(withoutService('realtime')) : writes,
    ),
  },
  {
    bug: 'writes a status again and again',
    breaks: 8,
    world: INSTALL,
    decide: (snapshot, now) => {
      const plan = decision(snapshot, now);
      return plan.writes.length > 0 ? plan : { ...plan, writes: [{ kind: 'Status', status: plan.status }] };
    },
  },
  {
    bug: 'sleeps where only time goes on',
    breaks: 8,
    world: RELEASE,
    decide: (snapshot, now) => ({ ...decision(snapshot, now), lookAgainAt: null }),
  },
  {
    bug: 'lets the finalizer go first',
    breaks: 9,
    world: DELETE,
    decide: (snapshot, now) =>
      snapshot.subject.deleting
        ? { ...decision(snapshot, now), writes: [{ kind: 'Metadata', finalizers: [] }] }
        : decision(snapshot, now),
  },
  {
    bug: 'claims a weight when it is asked for',
    breaks: 10,
    world: ABORT,
    decide: withWrites((writes) =>
      writes.map((write) => {
        if (write.kind !== 'Status' || write.status.weight === undefined) return write;
        const { weight } = write.status;
        return { ...write, status: { ...write.status, weight: { ...weight, routed: weight.requested } } };
      }),
    ),
  },
];

describe('planted bugs', () => {
  it.each(BUGS)('$breaks: it $bug', ({ world, decide, breaks }) => {
    const result = explore(world, { decide, limits: { states: 3000 } });
    expect(violated(result)).toContain(breaks);
  });

  it('is printed with the way to it, from the deed to the pod that goes', () => {
    const bug = BUGS.find(({ breaks }) => breaks === 3);
    if (bug === undefined) throw new Error('there is a bug of invariant 3');
    const found = explore(bug.world, { decide: bug.decide }).violations.find(({ invariant }) => invariant === 3);
    expect(found?.trace.at(0)).toBe('a person: delete');
    expect(found?.trace).toContainEqual(expect.stringMatching(/sees 0 wanted, takes one that .*holds sessions/));
  });
});
