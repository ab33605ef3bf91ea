// Counts and times in what people read.
import { formatDuration } from '@assistant-platform/api';

/** "1 pod", "3 pods". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const IN_SECONDS_BELOW_MS = 120_000;

/** "90 s", and from two minutes on as the spec may have it: "2m", "1h30m". */
export const lasting = (ms: number): string => (ms < IN_SECONDS_BELOW_MS ? `${ms / 1000} s` : formatDuration(ms));
