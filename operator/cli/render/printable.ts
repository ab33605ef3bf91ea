// Text that others wrote (messages, release labels, reasons, manifests) as a terminal may be given it. Without this a release label could move the
// cursor, recolour what stands elsewhere, or write lines of its own. Everything that is written passes through here: `printable` what is for people,
// `documentText` what is for scripts.
import { stripVTControlCharacters } from 'node:util';

/** C0, DEL and C1 controls, line and paragraph separators. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Marks that turn the direction of writing around: what is read is another thing than what is there (CVE-2021-42574). */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A copy of a value with harmless texts, members' names included: terminal sequences and marks of direction are taken out, every other run of control
 * characters (a line break, a tab) becomes a space. What is no text, list or plain object is passed on as it is.
 */
export function printable<T>(value: T): T;
export function printable(value: unknown): unknown {
  if (typeof value === 'string') {
    return stripVTControlCharacters(value).replace(DIRECTIONS, '').replace(CONTROLS, ' ');
  }
  if (Array.isArray(value)) return value.map((entry: unknown) => printable(entry));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [printable(name), printable<unknown>(member)]),
  );
}

/** What JSON itself does not escape, and a terminal may act on all the same. */
const UNESCAPED = /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A document of `-o json`: the values as they are, with every control character and mark of direction as an escape.
 * @param indent 0: on one line.
 */
export const documentText = (value: unknown, indent = 2): string =>
  JSON.stringify(value, null, indent).replace(
    UNESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
