import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hastenDrain, nextToMove, reorderDrain, startDrain } from './drain.ts';
import type { DrainState } from './drain.ts';

interface Socket {
  readonly name: string;
  isBusy: boolean;
  readonly busy: () => boolean;
  readonly lastActiveAt: () => number;
}
const socket = (name: string, lastActiveAt: number, isBusy = false): Socket => {
  const made: Socket = { name, isBusy, busy: () => made.isBusy, lastActiveAt: () => lastActiveAt };
  return made;
};
const names = (sockets: readonly Socket[]) => sockets.map(({ name }) => name);

test('longest idle first, busy ones stay, at the pace', () => {
  const open = [socket('talking', 90, true), socket('b', 50), socket('c', 70), socket('a', 10)];
  let state: DrainState = startDrain({ deadlineSeconds: 60, closePerSecond: 2 }, 100);
  const step = (at: number, left: readonly Socket[]) => {
    const next = nextToMove(state, left, at);
    ({ state } = next);
    return names(next.move);
  };
  expect(step(100, open)).toEqual(['a']);
  expect(step(350, open.slice(0, 3))).toEqual([]);
  expect(step(600, open.slice(0, 3))).toEqual(['b']);
  expect(step(1_100, [open[0]!, open[2]!])).toEqual(['c']);
  expect(step(30_000, [open[0]!])).toEqual([]);
  open[0]!.isBusy = false;
  expect(step(30_050, [open[0]!])).toEqual(['talking']);
});

test('at the deadline all go, busy or not', () => {
  const open = [socket('x', 1, true), socket('y', 2, true), socket('z', 3)];
  const state = startDrain({ deadlineSeconds: 10, closePerSecond: 0.001 }, 0);
  expect(nextToMove(state, open, 9_999).move).toHaveLength(1);
  expect(names(nextToMove(state, open, 10_000).move)).toEqual(['x', 'y', 'z']);
});

test('never faster than the pace before the deadline, and all idle ones are gone in time', () => {
  const run = fc.record({ sockets: fc.integer({ min: 0, max: 200 }), pace: fc.integer({ min: 1, max: 100 }) });
  fc.assert(
    fc.property(run, ({ sockets, pace }) => {
      let open = Array.from({ length: sockets }, (_, index) => socket(String(index), index));
      let state = startDrain({ deadlineSeconds: 100_000, closePerSecond: pace }, 0);
      let moved = 0;
      for (let at = 0; open.length > 0; at += 50) {
        const next = nextToMove(state, open, at);
        ({ state } = next);
        moved += next.move.length;
        // The first at once, the rest at the pace.
        expect(moved).toBeLessThanOrEqual(1 + (at * pace) / 1_000 + 1e-6);
        const gone = new Set(next.move);
        open = open.filter((one) => !gone.has(one));
        expect(at).toBeLessThanOrEqual((sockets / pace) * 1_000 + 1_000);
      }
    }),
  );
});

test('[R-307] an order that is repeated late in a drain names the time that is left: nobody is cut off before the deadline', () => {
  const open = [socket('talking', 1, true)];
  // The operator lost sight of the pod for a moment and tells it again: 300 of the 600 seconds are left.
  const state = reorderDrain(
    startDrain({ deadlineSeconds: 600, closePerSecond: 50 }, 0),
    { deadlineSeconds: 300, closePerSecond: 50 },
    300_000,
  );
  expect(nextToMove(state, open, 300_000).move).toEqual([]);
  expect(nextToMove(state, open, 599_999).move).toEqual([]);
  expect(names(nextToMove(state, open, 600_000).move)).toEqual(['talking']);
});

test('SIGTERM in mid-drain leaves no more time than there was, and less when the pod has less', () => {
  const state = startDrain({ deadlineSeconds: 100, closePerSecond: 80 }, 0);
  const stop = { deadlineSeconds: 60, closePerSecond: 50 };
  expect(hastenDrain(state, stop, 10_000)).toMatchObject({ startedAt: 0, deadline: 70_000, closePerSecond: 80 });
  expect(hastenDrain(state, stop, 90_000)).toMatchObject({ startedAt: 0, deadline: 100_000, closePerSecond: 80 });
});
