// The small types of the spec. Each is checked twice from one definition: by zod here, by CEL in the API server. CEL instead of
// `pattern`, because the API server shows a failed pattern as a bare regular expression, which helps nobody.
import { z } from 'zod';
import { DECIMAL_PATTERN } from '../decimals.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../durations.ts';
import { celString, rules } from './rules.ts';

/** A string of so many characters, counted as the API server counts them: Unicode code points, where JavaScript counts UTF-16 units. */
export const characters = (most: number, least = 0) =>
  (least === 0 ? z.string() : z.string().min(least))
    .refine((value) => Array.from(value).length <= most, `write at most ${most} characters`)
    .meta({ maxLength: most });

/** A string of a given form; `message` says what to write. */
export function text(options: { pattern: string; message: string; maxLength: number; minLength?: number }) {
  const { pattern, message, maxLength } = options;
  return z
    .string()
    .max(maxLength)
    .regex(new RegExp(pattern), message)
    .meta({ ...rules({ rule: `self.matches(${celString(pattern)})`, message }) });
}

/** How long, as in "90s". Limits are durations too. */
export function duration(limits: { min?: string; max?: string } = {}) {
  const min = limits.min ?? '0s';
  const max = limits.max ?? '168h';
  const example = 'write a duration such as 500ms, 30s, 10m or 1h30m';
  const range = `write a duration from ${min} to ${max}, such as ${formatDuration(Math.max(parseDuration(min), 30_000))}`;
  const wellFormed = `size(self) > 0 && self.matches(${celString(DURATION_PATTERN)})`;
  return z
    .string()
    .max(32)
    .refine((value) => isDuration(value), example)
    .refine((value) => !isDuration(value) || within(parseDuration(value), min, max), range)
    .meta({
      ...rules(
        { rule: wellFormed, message: example },
        {
          rule: `!(${wellFormed}) || (duration(self) >= duration('${min}') && duration(self) <= duration('${max}'))`,
          message: range,
        },
      ),
    });
}

const isDuration = (value: string): boolean => value !== '' && new RegExp(DURATION_PATTERN).test(value);
const within = (ms: number, min: string, max: string): boolean => ms >= parseDuration(min) && ms <= parseDuration(max);

/** A decimal string within limits; `message` says what to write. */
export function decimal(limits: { above?: number; min?: number; below?: number; message: string }) {
  const { above, min, below, message } = limits;
  const celNumber = (value: number): string => value.toFixed(6);
  const tests = [
    ...(above === undefined ? [] : [`double(self) > ${celNumber(above)}`]),
    ...(min === undefined ? [] : [`double(self) >= ${celNumber(min)}`]),
    ...(below === undefined ? [] : [`double(self) < ${celNumber(below)}`]),
  ];
  const wellFormed = `self.matches(${celString(DECIMAL_PATTERN)})`;
  const accepts = (value: string): boolean =>
    new RegExp(DECIMAL_PATTERN).test(value) &&
    (above === undefined || Number(value) > above) &&
    (min === undefined || Number(value) >= min) &&
    (below === undefined || Number(value) < below);
  return z
    .string()
    .max(32)
    .refine(accepts, message)
    .meta({ ...rules({ rule: [wellFormed, ...tests].join(' && '), message }) });
}

/** A DNS label: name of a metric or of an object in a namespace. */
export const dnsLabel = (what: string) =>
  text({
    pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$',
    maxLength: 63,
    message: `${what} is a DNS label: write lower-case letters, digits and dashes, at most 63 characters, starting and ending with a letter or digit`,
  });

/** Name of an object of Kubernetes in general. */
export const objectName = (what: string) =>
  text({
    pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
    maxLength: 253,
    message: `${what} is the name of an object: write lower-case letters, digits, dashes and dots, starting and ending with a letter or digit`,
  });

/** A TCP port. */
export const port = () => z.int().min(1).max(65_535).meta({ format: 'int32' });

/** A point in time in status, RFC 3339. */
export const time = () => z.string().meta({ format: 'date-time' });
