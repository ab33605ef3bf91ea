// Who gets how much: what routes carry, when that is taken as true, and what they should carry next.
import { describe, expect, it } from 'vitest';
import { carriedShare, lowerShare, observedShare, shareOf, verifyRoutes, wantedShare } from './routes.ts';
import type { Pod, Route, RouteAcceptance } from './snapshot.ts';
import type { Wait } from './waits.ts';
import { factsOf, NOW, podOf, progressOf, recordOf, routeOf } from './worldSituations.ts';

const SPLIT = [routeOf('chat', { a: 80, b: 20 }), routeOf('realtime', { a: 80, b: 20 })];

/** Routes of chat and realtime with these shares of `b`. */
const carrying = (chat: number, realtime: number): Route[] => [
  routeOf('chat', { a: 100 - chat, b: chat }),
  routeOf('realtime', { a: 100 - realtime, b: realtime }),
];

describe('the share of a revision', () => {
  it('is its part of all weights, also when these do not sum to 100', () => {
    expect(shareOf(routeOf('chat', { a: 3, b: 1 }), 'b')).toBe(25);
    expect(shareOf(routeOf('chat', { a: 80, b: 20 }), 'a')).toBe(80);
  });

  it('is 0 where nothing is said of it', () => {
    expect(shareOf(null, 'b')).toBe(0);
    expect(shareOf(routeOf('chat', { a: 100 }), 'b')).toBe(0);
    expect(shareOf(routeOf('chat', { a: 0, b: 0 }), 'b')).toBe(0);
    expect(shareOf({ ...routeOf('chat', {}), intent: null }, 'b')).toBe(0);
  });
});

describe('the share that is observed', () => {
  it('is one that all components carry, or none', () => {
    expect(observedShare(progressOf(), factsOf({ routes: SPLIT }))).toBe(20);
    expect(observedShare(progressOf(), factsOf({ routes: carrying(20, 10) }))).toBeNull();
    expect(observedShare(progressOf({ update: null }), factsOf({ routes: SPLIT }))).toBeNull();
  });

  /** realtime is new in `b`. */
  const more = [recordOf('a', ['chat'], 1), recordOf('b', ['chat', 'realtime'], 2)];
  it.each<[string, Record<string, number>, Record<string, number> | null, number | null]>([
    ['served with the others', { a: 80, b: 20 }, { b: 100 }, 20],
    ['not yet served', { a: 80, b: 20 }, null, null],
    ['served too early', { a: 100 }, { b: 100 }, null],
    ['not served, nor are the others', { a: 100 }, null, 0],
  ])('counts a component that only the new revision has: %s', (_what, chat, realtime, share) => {
    const routes = [routeOf('chat', chat), ...(realtime === null ? [] : [routeOf('realtime', realtime)])];
    expect(observedShare(progressOf(), factsOf({ records: more, routes }))).toBe(share);
  });

  it('of a revision that shares no component with stable is what was asked for, once it is served', () => {
    const records = [recordOf('a', ['chat'], 1), recordOf('b', ['realtime'], 2)];
    const served = factsOf({ records, routes: [routeOf('realtime', { b: 100 })] });
    expect(observedShare(progressOf(), served)).toBe(20);
    expect(observedShare(progressOf({ requested: 0 }), served)).toBe(1); // more than nothing
    expect(observedShare(progressOf(), factsOf({ records, routes: [] }))).toBe(0);
  });

  it('on the way down counts as the most that any route carries', () => {
    const f = factsOf({ routes: carrying(20, 50) });
    expect(carriedShare(progressOf(), f)).toBe(50);
    expect(carriedShare(progressOf({ update: null }), f)).toBe(0);
    expect(lowerShare(progressOf({ routed: 30 }), f, 10)).toMatchObject({ requested: 10, routed: 50 });
    expect(lowerShare(progressOf({ routed: 60 }), f, 10)).toMatchObject({ requested: 10, routed: 60 });
  });
});

describe('weights of a person that make no whole percent', () => {
  const thirds = [routeOf('chat', { a: 2, b: 1 }), routeOf('realtime', { a: 2, b: 1 })];

  it('are stored as the next whole one above: the status takes no other, and an abort could not be stored', () => {
    expect(lowerShare(progressOf({ routed: 0 }), factsOf({ routes: thirds }), 0)).toMatchObject({ routed: 34 });
  });

  it('are not verified, but written anew', () => {
    expect(observedShare(progressOf(), factsOf({ routes: thirds }))).toBeNull();
    expect(wantedShare(progressOf({ requested: 50 }), factsOf({ routes: thirds }), 'chat', false)).toBe(33);
  });
});

describe('routes are verified', () => {
  const pending = (earlier: boolean): RouteAcceptance => ({ kind: 'Pending', earlier });
  const refused: RouteAcceptance = { kind: 'Refused', reason: 'NoMatchingParent', message: 'no such gateway' };
  const split = (acceptance: RouteAcceptance): Route[] => [
    SPLIT[0]!,
    routeOf('realtime', { a: 80, b: 20 }, acceptance),
  ];

  /** Accepted `ago` milliseconds ago. */
  function verified(routes: readonly Route[], { routed = 0, requested = 20, ago = 0 } = {}): [string, unknown] {
    const p = progressOf({ routed, requested });
    const result = verifyRoutes(p, factsOf({ routes }), () => NOW - ago, NOW);
    return result.kind === 'Verified' ? [result.kind, result.share] : [result.wait.reason, result.wait.message];
  }

  it('when they carry one share, are accepted, and traffic has had the time to follow', () => {
    expect(verified(SPLIT, { ago: 999 })).toEqual([
      'RouteSettling',
      'the gateway accepted 20 % (support-chat generation 2, support-realtime generation 2); traffic follows within 1000 ms',
    ]);
    expect(verified(SPLIT, { ago: 1000 })).toEqual(['Verified', 20]);
  });

  it('at once when the share was verified before', () => {
    expect(verified(SPLIT, { routed: 20 })).toEqual(['Verified', 20]);
  });

  it('not while the gateway has said nothing, or no', () => {
    expect(verified(split(pending(true)), { ago: 9000 })).toEqual([
      'RouteNotAccepted',
      'the gateway has not accepted generation 2 of HTTPRoute support-realtime yet',
    ]);
    expect(verified(split(refused), { ago: 9000 })).toEqual([
      'RouteNotAccepted',
      'the gateway has not accepted generation 2 of HTTPRoute support-realtime: NoMatchingParent: no such gateway',
    ]);
  });

  it('although a later generation is on its way, when the share itself was verified and does not change', () => {
    expect(verified(split(pending(true)), { routed: 20 })).toEqual(['Verified', 20]);
    expect(verified(split(pending(false)), { routed: 20 })[0]).toBe('RouteNotAccepted');
    expect(verified(split(refused), { routed: 20 })[0]).toBe('RouteNotAccepted');
  });

  it('not while they carry different shares, or do not exist', () => {
    expect(verified(carrying(20, 10), { ago: 9000 })).toEqual([
      'RouteUpdating',
      'the routes do not carry one weight yet',
    ]);
    expect(verified([], { ago: 9000 })[0]).toBe('RouteUpdating');
    expect(verified([], { requested: 0 })).toEqual(['Verified', 0]);
  });

  it('with the settle time as the next look', () => {
    const waits: Wait[] = [];
    verifyRoutes(progressOf({ routed: 0 }), factsOf({ routes: SPLIT }), (wait) => (waits.push(wait), NOW), NOW);
    expect(waits).toMatchObject([{ reason: 'RouteSettling', lastsMs: 1000 }]);
  });
});

describe('the share that a route should carry', () => {
  const pods = (...missing: string[]): Pod[] =>
    ['a', 'b'].flatMap((revision) =>
      ['chat', 'realtime'].map((component) =>
        podOf(revision, component, missing.includes(`${revision}/${component}`) ? { ready: false } : {}),
      ),
    );
  const wanted = (
    component: string,
    { requested = 20, mayRise = true, routes = carrying(10, 10), unready = [] as string[] } = {},
  ): number => wantedShare(progressOf({ requested }), factsOf({ routes, pods: pods(...unready) }), component, mayRise);

  it('rises when all pods are there, and falls in any case', () => {
    expect(wanted('chat')).toBe(20);
    expect(wanted('chat', { mayRise: false })).toBe(10);
    expect(wanted('chat', { requested: 5, mayRise: false })).toBe(5);
    expect(wanted('chat', { requested: 10, mayRise: false })).toBe(10);
  });

  it('is whole percents, whatever a person wrote into the route', () => {
    expect(wanted('chat', { mayRise: false, routes: [routeOf('chat', { a: 2, b: 1 })], requested: 50 })).toBe(33);
  });

  it('is all at rest, and without an update', () => {
    const at = { hash: 'a', release: '1.0.0' };
    expect(wantedShare(progressOf({ update: at }), factsOf(), 'chat', false)).toBe(100);
    expect(wantedShare(progressOf({ update: null }), factsOf(), 'chat', false)).toBe(100);
  });

  it('is nothing for all components when one of the new revision has no pods, as long as stable is whole', () => {
    expect([wanted('chat', { unready: ['b/realtime'] }), wanted('realtime', { unready: ['b/realtime'] })]).toEqual([
      0, 0,
    ]);
    expect(wanted('chat', { unready: ['b/realtime', 'a/realtime'] })).toBe(20);
  });

  it('goes where pods are, and stays as it is where there are none at all', () => {
    expect(wanted('chat', { unready: ['a/chat'] })).toBe(100);
    expect(wanted('chat', { unready: ['b/chat', 'a/realtime'] })).toBe(0);
    expect(wanted('chat', { unready: ['a/chat', 'b/chat'] })).toBe(10);
    expect(wanted('chat', { unready: ['a/chat', 'b/chat'], requested: 0 })).toBe(10);
    expect(wanted('chat', { unready: ['a/chat'], requested: 100 })).toBe(100);
    expect(wanted('chat', { unready: ['a/chat'], requested: 99 })).toBe(100);
    expect(wanted('chat', { unready: ['b/chat', 'a/realtime'], requested: 1 })).toBe(0);
  });

  it('of a component that only the new revision has is all or nothing', () => {
    const records = [recordOf('a', ['chat'], 1), recordOf('b', ['chat', 'search'], 2)];
    const search = (requested: number, mayRise: boolean, routes: Route[] = []): number =>
      wantedShare(progressOf({ requested }), factsOf({ records, routes }), 'search', mayRise);
    expect(search(20, true)).toBe(100);
    expect(search(20, false)).toBe(0);
    expect(search(20, false, [routeOf('search', { b: 100 })])).toBe(100);
    expect(search(20, false, [routeOf('search', { b: 1, a: 99 })])).toBe(100);
    expect(search(0, true, [routeOf('search', { b: 100 })])).toBe(0);
  });

  it('of a component that the new revision does not have any more is nothing', () => {
    const records = [recordOf('a', ['chat', 'old'], 1), recordOf('b', ['chat'], 2)];
    expect(wantedShare(progressOf(), factsOf({ records, routes: [] }), 'old', true)).toBe(0);
    expect(wantedShare(progressOf({ stable: null }), factsOf({ routes: [] }), 'elsewhere', true)).toBe(0);
  });
});
