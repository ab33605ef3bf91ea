// Numbers on the command lines of the test programs.

/**
 * Reads a whole number.
 * @param usage said behind the error.
 * @throws Error naming the option and what was given.
 */
export function wholeNumber(name: string, text: string, { atLeast = 0, usage = '' } = {}): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= atLeast) return number;
  const wanted = atLeast === 0 ? 'a whole number' : `a whole number from ${atLeast} up`;
  throw new Error(`--${name} must be ${wanted}, got "${text}"${usage === '' ? '' : `. Usage: ${usage}`}`);
}
