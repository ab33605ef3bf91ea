// Which sockets a draining pod moves away next: idle ones first, at a bounded pace; those with an answer under way
// when it is done; all that are left at the deadline.
import type { DrainOrder } from '@assistant-platform/kit/admin';

/** A socket as the decision sees it. */
export interface Candidate {
  readonly busy: () => boolean;
  /** Monotonic milliseconds. */
  readonly lastActiveAt: () => number;
}

/** A drain under way. */
export interface DrainState {
  readonly startedAt: number;
  readonly order: DrainOrder;
  /** Sockets that may be closed now; grows with time by the pace. */
  readonly allowance: number;
  readonly updatedAt: number;
}

export function startDrain(order: DrainOrder, now: number): DrainState {
  // The first socket may go at once.
  return { startedAt: now, order, allowance: 1, updatedAt: now };
}

export const deadlineOf = ({ startedAt, order }: DrainState): number => startedAt + order.deadlineSeconds * 1000;

/**
 * The sockets to move away now, longest idle first, and the state after.
 * At the deadline: all of them, busy or not, regardless of the pace.
 */
export function nextToMove<T extends Candidate>(
  state: DrainState,
  open: readonly T[],
  now: number,
): { readonly move: readonly T[]; readonly state: DrainState } {
  if (now >= deadlineOf(state)) return { move: open, state: { ...state, allowance: 0, updatedAt: now } };
  const { closePerSecond } = state.order;
  const grown = state.allowance + ((now - state.updatedAt) * closePerSecond) / 1000;
  // No saving up: after a time with nothing idle the pace is still the pace.
  const allowance = Math.min(grown, Math.max(1, closePerSecond));
  const idle = open.filter((socket) => !socket.busy()).sort((a, b) => a.lastActiveAt() - b.lastActiveAt());
  const move = idle.slice(0, Math.floor(allowance));
  return { move, state: { ...state, allowance: allowance - move.length, updatedAt: now } };
}
