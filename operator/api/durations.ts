// Durations as people write them in the custom resources: "500ms", "30s", "10m", "1h30m".

const UNITS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** Units in falling order, each at most once, whole numbers: a subset of what Go and CEL read, so all readers agree. */
export const DURATION_PATTERN = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$';
const DURATION = new RegExp(DURATION_PATTERN);

/** A duration that cannot be read. */
export class InvalidDurationError extends Error {
  override readonly name = 'InvalidDurationError';
  readonly text: string;

  constructor(text: string) {
    super(`"${text}" is not a duration: write whole numbers with units, such as 500ms, 30s, 10m or 1h30m`);
    this.text = text;
  }
}

/**
 * Reads a duration.
 * @returns milliseconds, 0 or more.
 * @throws InvalidDurationError when the text is empty or has another form.
 */
export function parseDuration(text: string): number {
  if (text === '' || !DURATION.test(text)) throw new InvalidDurationError(text);
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    total += Number(count) * UNITS[unit as keyof typeof UNITS];
  }
  return total;
}

/**
 * Writes a duration so that {@link parseDuration} gives the same number back.
 * @param milliseconds 0 or more; fractions are cut off.
 */
export function formatDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.trunc(milliseconds));
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    rest -= count * UNITS[unit];
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
