// Which sockets a draining pod moves away next: idle ones first, at a bounded pace; those with an answer under way
// when it is done; all that are left at the deadline.
import type { DrainOrder } from '@assistant-platform/kit/admin';

/** A socket as the decision sees it. */
export interface Candidate {
  readonly busy: () => boolean;
  /** Monotonic milliseconds. */
  readonly lastActiveAt: () => number;
}

/** A drain under way. Times are monotonic milliseconds. */
export interface DrainState {
  readonly startedAt: number;
  /** Then all that are left are moved. */
  readonly deadline: number;
  readonly closePerSecond: number;
  /** Sockets that may be closed now; grows with time by the pace. */
  readonly allowance: number;
  readonly updatedAt: number;
}

export function startDrain(order: DrainOrder, now: number): DrainState {
  // The first socket may go at once.
  return { startedAt: now, ...termsOf(order, now), allowance: 1, updatedAt: now };
}

/**
 * The drain after another order: its pace and its deadline hold from now on. A deadline is counted from the order that names it: an operator that
 * repeats its order names the time that is left.
 */
export const reorderDrain = (state: DrainState, order: DrainOrder, now: number): DrainState => ({
  ...state,
  ...termsOf(order, now),
});

/** What SIGTERM asks of a drain that was ordered before: at least this pace, and never more time than there was. */
export const hastenDrain = (state: DrainState, order: DrainOrder, now: number): DrainState => ({
  ...state,
  deadline: Math.min(state.deadline, termsOf(order, now).deadline),
  closePerSecond: Math.max(state.closePerSecond, order.closePerSecond),
});

const termsOf = ({ deadlineSeconds, closePerSecond }: DrainOrder, now: number) => ({
  deadline: now + deadlineSeconds * 1000,
  closePerSecond,
});

/**
 * The sockets to move away now, longest idle first, and the state after.
 * At the deadline: all of them, busy or not, regardless of the pace.
 */
export function nextToMove<T extends Candidate>(
  state: DrainState,
  open: readonly T[],
  now: number,
): { readonly move: readonly T[]; readonly state: DrainState } {
  if (now >= state.deadline) return { move: open, state: { ...state, allowance: 0, updatedAt: now } };
  const { closePerSecond } = state;
  const grown = state.allowance + ((now - state.updatedAt) * closePerSecond) / 1000;
  // No saving up: after a time with nothing idle the pace is still the pace.
  const allowance = Math.min(grown, Math.max(1, closePerSecond));
  const idle = open.filter((socket) => !socket.busy()).sort((a, b) => a.lastActiveAt() - b.lastActiveAt());
  const move = idle.slice(0, Math.floor(allowance));
  return { move, state: { ...state, allowance: allowance - move.length, updatedAt: now } };
}
