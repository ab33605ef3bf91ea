// Drain: when it may begin, who is told, who leaves first, and when a pod may go.
import type { StrategySpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import {
  afterRouteIsGone,
  chooseLeaving,
  drainMayBeginAt,
  drainWindow,
  isReleased,
  removalOrder,
  tellDeparting,
  tellPods,
} from './drain.ts';
import { blueGreen, canary, sampleRelease } from './releases.ts';
import type { Verification } from './routes.ts';
import type { Pod, Route } from './snapshot.ts';
import type { HistoryEntry, Progress } from './state.ts';
import { factsOf, NOW, podOf, progressOf, recordOf, routeOf, sessions } from './worldSituations.ts';

const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString();
const ended = (hash: string, outcome: HistoryEntry['outcome'], secondsAgo: number): HistoryEntry => ({
  ...{ hash, outcome, release: hash, startedAt: at(99) },
  finishedAt: at(secondsAgo),
});

interface Given {
  readonly p: Partial<Progress>;
  readonly verified: Verification;
  readonly strategy: StrategySpec;
}

describe('the drain of a retired revision', () => {
  /** `a` is retired, `b` stable. */
  const rest: Partial<Progress> = { stable: { hash: 'b', release: '1.1.0' }, requested: 100, routed: 100 };
  const carried: Verification = { kind: 'Verified', share: 100 };
  const begins = (
    routes: readonly Route[],
    { p = {}, verified = carried, strategy = canary() }: Partial<Given> = {},
  ): number | null =>
    drainMayBeginAt(
      progressOf({ ...rest, ...p }),
      factsOf({ routes }, sampleRelease('1.0.0', strategy)),
      verified,
      'a',
    );

  it('does not begin while any route gives it a weight, or cannot be understood', () => {
    expect(begins([routeOf('chat', { a: 1, b: 99 })])).toBeNull();
    expect(begins([routeOf('chat', { a: 0, b: 100 }), routeOf('realtime', { a: 50, b: 50 })])).toBeNull();
    expect(begins([{ ...routeOf('chat', { b: 100 }), intent: null }])).toBeNull();
  });

  it('begins when the weight of 0 is verified', () => {
    const zero = [routeOf('chat', { a: 0, b: 100 })];
    const wait = { reason: 'RouteSettling', message: '' } as const;
    expect(begins(zero)).toBe(0);
    expect(begins(zero, { verified: { kind: 'Waiting', wait } })).toBeNull();
    expect(begins(zero, { verified: { kind: 'Verified', share: 50 } })).toBeNull();
    expect(begins(zero, { p: { requested: 50 } })).toBeNull();
  });

  it('begins at once where no route names it', () => {
    const wait = { reason: 'RouteSettling', message: '' } as const;
    expect(begins([routeOf('chat', { b: 100 })], { verified: { kind: 'Waiting', wait } })).toBe(0);
  });

  it('of blue-green begins scaleDownDelay after the switch', () => {
    const zero = [routeOf('chat', { a: 0, b: 100 })];
    const strategy = blueGreen({ scaleDownDelay: '30s' });
    const history = (...entries: HistoryEntry[]) => ({ strategy, p: { history: entries } });
    const promotedA = ended('a', 'Promoted', 500);
    expect(begins(zero, history(ended('b', 'Promoted', 4), promotedA))).toBe(NOW + 26_000);
    expect(begins(zero, history(ended('b', 'FastPromoted', 4), promotedA))).toBe(NOW + 26_000);
    expect(begins(zero, history(ended('b', 'Promoted', 4)))).toBe(NOW + 26_000);
    // Nothing to keep: it was aborted itself, or what ended last is not what serves.
    expect(begins(zero, history(ended('b', 'Promoted', 4), ended('a', 'Aborted', 500)))).toBe(0);
    expect(begins(zero, history(ended('a', 'Aborted', 4), ended('b', 'Promoted', 500)))).toBe(0);
    expect(begins(zero, history(ended('c', 'Promoted', 4), promotedA))).toBe(0);
    expect(begins(zero, history(ended('b', 'Superseded', 4), promotedA))).toBe(0);
    expect(begins(zero, history())).toBe(0);
  });
});

it('a drain window is as long as the spec says, from when it begins', () => {
  expect(drainWindow(factsOf(), NOW)).toEqual({ startedAt: NOW, deadline: NOW + 20_000 });
  expect(drainWindow(factsOf(), NOW, 500)).toEqual({ startedAt: NOW + 500, deadline: NOW + 20_500 });
});

it('a route that was deleted is given twice the settle time', () => {
  expect(afterRouteIsGone(factsOf({ routes: [] }), 'chat')).toBe(2000);
  expect(afterRouteIsGone(factsOf({ routes: [routeOf('chat', { a: 100 })] }), 'chat')).toBe(0);
});

describe('the order to drain', () => {
  const window = { startedAt: NOW - 5000, deadline: NOW + 14_600 };
  const told = (...pods: Pod[]) => tellPods(factsOf(), pods, window, NOW);
  const pod = (change: Partial<Pod>): Pod => podOf('a', 'chat', { sessions: sessions(3), ...change });

  it('has what is left of the time, in whole seconds, at least one', () => {
    expect(told(pod({}))).toMatchObject([
      { kind: 'DrainPod', adminPort: 9090, deadlineSeconds: 15, closePerSecond: 50 },
    ]);
    expect(tellPods(factsOf(), [pod({})], window, NOW + 60_000)).toMatchObject([{ deadlineSeconds: 1 }]);
  });

  it('goes to the usual port where there is no record of the revision', () => {
    const { components } = recordOf('a', ['chat']);
    const other = { ...recordOf('a', []), components: { chat: { ...components['chat']!, adminPort: 7777 } } };
    const ports = [[other], []].map((records) => tellPods(factsOf({ records }), [pod({})], window, NOW));
    expect(ports).toMatchObject([[{ adminPort: 7777 }], [{ adminPort: 9090 }]]);
  });

  it('goes to pods that can hear it and have not', () => {
    expect(told(pod({ sessions: { kind: 'unknown' } }))).toHaveLength(1);
    expect(
      told(
        pod({ running: false }),
        pod({ ip: null }),
        pod({ sessions: { kind: 'unsupported' } }),
        pod({ sessions: sessions(3, 0, true) }),
        pod({ terminating: true }),
      ),
    ).toEqual([]);
  });

  it('goes to a pod that somebody else deletes once the gateway has had the time to leave it', () => {
    const removal = { startedAt: NOW - 1000, deadline: NOW + 65_000 };
    const order = (change: Partial<Pod>) =>
      tellDeparting(factsOf({ pods: [pod({ ready: false, terminating: true, removal, ...change })] }), NOW);
    expect(order({})).toMatchObject([{ deadlineSeconds: 19 }]);
    expect(order({ removal: { ...removal, startedAt: NOW - 999 } })).toEqual([]);
    expect(order({ removal: { ...removal, deadline: NOW + 4000 } })).toMatchObject([{ deadlineSeconds: 4 }]);
    expect(order({ ready: true })).toEqual([]);
    expect(order({ removal: null })).toEqual([]);
  });
});

describe('a pod may go', () => {
  const free = (change: Partial<Pod>, deadline: number | null = NOW + 1): boolean =>
    isReleased(podOf('a', 'chat', change), deadline === null ? null : { startedAt: 0, deadline }, NOW);

  it('when nobody is on it and nobody new can come', () => {
    expect(free({ sessions: sessions(0, 0, true) })).toBe(true);
    expect(free({ sessions: sessions(0, 0, false) })).toBe(false);
    expect(free({ sessions: sessions(1, 0, true) })).toBe(false);
    expect(free({ sessions: sessions(0, 1, true) })).toBe(false);
    expect(free({ sessions: { kind: 'unknown' } })).toBe(false);
    expect(free({ running: false })).toBe(true);
  });

  it('when its time is up', () => {
    expect(free({ sessions: sessions(5) }, NOW)).toBe(true);
    expect(free({ sessions: sessions(5) }, NOW + 1)).toBe(false);
    expect(free({ sessions: sessions(5) }, null)).toBe(false);
  });
});

describe('who leaves', () => {
  const names = (pods: readonly Pod[]): string[] => pods.map(({ name }) => name);
  const pod = (name: string, change: Partial<Pod> = {}): Pod => podOf('a', 'chat', { name, ...change });

  it('goes by running, ready, mark, age and name', () => {
    const window = { startedAt: 0, deadline: NOW };
    const pods = [
      pod('z'),
      pod('b-older', { createdAt: 1 }),
      pod('y'),
      pod('leaving', { drain: window }),
      pod('released', { drain: { ...window, released: true } }),
      pod('unready', { ready: false }),
      pod('pending', { ready: false, running: false }),
      pod('homeless', { ready: false, running: false, phase: 'Unscheduled' }),
      pod('down', { ready: false, running: false, phase: 'Running' }),
    ];
    expect(names(removalOrder(pods))).toEqual([
      'homeless',
      'pending',
      'down',
      'unready',
      'released',
      'leaving',
      'y',
      'z',
      'b-older',
    ]);
    expect(names(removalOrder(pods.toReversed()))).toEqual(names(removalOrder(pods)));
  });

  it('is chosen by who serves nobody, then the fewest sessions; one that does not say comes last', () => {
    const pods = [
      pod('silent', { sessions: { kind: 'unknown' } }),
      pod('nine', { sessions: sessions(9) }),
      pod('two', { sessions: sessions(2) }),
      pod('starting', { ready: false, sessions: sessions(5) }),
      pod('stopped', { running: false, sessions: { kind: 'unknown' } }),
      pod('leaving', { drain: { startedAt: 0, deadline: NOW }, sessions: sessions(0) }),
    ];
    const unit = { ...factsOf().unit('a', 'chat'), pods };
    expect(names(chooseLeaving(unit, 3))).toEqual(['stopped', 'starting', 'two']);
    expect(names(chooseLeaving(unit, 9))).toEqual(['stopped', 'starting', 'two', 'nine', 'silent']);
  });
});
