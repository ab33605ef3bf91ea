import { describe, expect, it } from 'vitest';
import type { BlockedBy, Status } from '../rollout/state.ts';
import { REPORT_AFTER_MS, SESSIONS_AFTER_MS, StatusPacer } from './pacing.ts';

const wait = (reason: string, message = 'so far'): BlockedBy => ({ reason, message, since: '2026-01-01T00:00:00Z' });
const STORED: Status = {
  phase: 'Progressing',
  observedGeneration: 2,
  weight: { requested: 20, routed: 10 },
  components: { chat: { update: { replicas: 2, ready: 1, sockets: 0 } } },
  conditions: [{ type: 'Ready', status: 'True', reason: 'r', message: '1 of 2', lastTransitionTime: 't' }],
  blockedBy: [wait('PodsNotReady', '1 of 2 pods ready')],
};
const COUNTED: Status = {
  ...STORED,
  components: { chat: { update: { replicas: 2, ready: 2, sockets: 4 } } },
  message: 'other words',
  blockedBy: [wait('RouteUpdating', 'on its way')],
};

/** The delay of a status that differs for the first time. */
const delay = (status: Status, stored = STORED): number => new StatusPacer().delay('a', stored, status, 10_000);

describe('the pace of status writes', () => {
  it('lets counts, texts and waits of every step gather for a second, and no longer', () => {
    const pacer = new StatusPacer();
    expect(pacer.delay('a', STORED, COUNTED, 10_000)).toBe(REPORT_AFTER_MS);
    const more = { ...COUNTED, message: 'still other words' };
    expect(pacer.delay('a', STORED, more, 10_400)).toBe(REPORT_AFTER_MS - 400);
    expect(pacer.delay('b', STORED, COUNTED, 10_400)).toBe(REPORT_AFTER_MS);
    expect(pacer.delay('a', STORED, more, 10_000 + REPORT_AFTER_MS)).toBe(0);
    pacer.forget('a');
    expect(pacer.delay('a', more, COUNTED, 20_000)).toBe(REPORT_AFTER_MS);
  });

  it.each<[string, Status]>([
    ['a decision', { ...STORED, weight: { requested: 40, routed: 20 } }],
    ['a phase', { ...STORED, phase: 'Healthy' }],
    ['a spec that was read', { ...STORED, observedGeneration: 3 }],
    ['a condition', { ...STORED, conditions: [{ ...STORED.conditions![0]!, status: 'False' }] }],
    ['a wait that a person has to know of', { ...STORED, blockedBy: [wait('ImagePullBackOff')] }],
    ['the clock of a settling route', { ...STORED, blockedBy: [wait('RouteSettling')] }],
    [
      'a drain',
      {
        ...STORED,
        draining: [{ hash: 'h', component: 'c', sockets: 1, busy: 0, startedAt: 's', deadline: 'd', forced: false }],
      },
    ],
  ])('writes %s at once', (_what, status) => {
    expect(delay(status)).toBe(0);
  });

  it('lets sessions that come and go gather for longer, unless something drains', () => {
    const gone: Status = {
      ...STORED,
      weight: { requested: 20, routed: 10, observed: 12.5 },
      summary: { connections: 7 },
      components: { chat: { update: { replicas: 2, ready: 1, sockets: 7 } } },
    };
    expect(delay(gone)).toBe(SESSIONS_AFTER_MS);
    expect(delay({ ...gone, message: 'other words' })).toBe(REPORT_AFTER_MS);
    const drain = { hash: 'h', component: 'c', busy: 0, startedAt: 's', deadline: 'd', forced: false };
    const draining = { ...STORED, draining: [{ ...drain, sockets: 9 }] };
    expect(delay({ ...draining, draining: [{ ...drain, sockets: 8 }] }, draining)).toBe(REPORT_AFTER_MS);
  });

  it('takes a route that settles anew for another one', () => {
    const settling = { ...STORED, blockedBy: [wait('RouteSettling', 'generation 3')] };
    expect(delay({ ...settling, message: 'other words' }, settling)).toBe(REPORT_AFTER_MS);
    expect(delay({ ...STORED, blockedBy: [wait('RouteSettling', 'generation 4')] }, settling)).toBe(0);
  });
});
