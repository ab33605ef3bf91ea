// Times for people: how long ago, how long still, with as much precision as is useful.
import { formatDuration } from '@assistant-platform/api';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Such as 42s, 3m10s, 2h5m, 3d. Never below 0s. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)}d`;
  const unit = ms >= HOUR ? MINUTE : 1_000;
  return formatDuration(Math.floor(ms / unit) * unit);
}

/** Time since a point in time (RFC 3339 or epoch milliseconds). */
export const since = (time: string | number, now: number): string => span(now - new Date(time).getTime());

/** Time until a point in time; null when it has passed. */
export function until(time: string, now: number): string | null {
  const left = Date.parse(time) - now;
  return left > 0 ? span(left) : null;
}
