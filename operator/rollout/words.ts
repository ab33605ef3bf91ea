// Times and lists in what people read.
import { formatDuration } from '@assistant-platform/api';

const IN_SECONDS_BELOW_MS = 120_000;

/** "90 s", and from two minutes on as the spec may have it: "2m", "1h30m". */
export const lasting = (ms: number): string => (ms < IN_SECONDS_BELOW_MS ? `${ms / 1000} s` : formatDuration(ms));

const NAMES_AT_MOST = 10;

/** "Secret/a, Secret/b", and of many the first ones: a spec may name more than a status can hold. */
export const listed = (names: readonly string[]): string =>
  [
    ...names.slice(0, NAMES_AT_MOST),
    ...(names.length > NAMES_AT_MOST ? [`${names.length - NAMES_AT_MOST} more`] : []),
  ].join(', ');
