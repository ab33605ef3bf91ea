// Numbers with fractions are strings in the custom resources: floats do not survive every YAML and JSON tool alike.

/** Form of a decimal string, such as "0.01", "12" or "-3.5". */
export const DECIMAL_PATTERN = '^-?[0-9]{1,12}([.][0-9]{1,12})?$';
const DECIMAL = new RegExp(DECIMAL_PATTERN);

/** A decimal that cannot be read. */
export class InvalidDecimalError extends Error {
  override readonly name = 'InvalidDecimalError';

  constructor(text: string) {
    super(`"${text}" is not a decimal: write digits with a point, such as 0.01 or 12`);
  }
}

/**
 * Reads a decimal string.
 * @throws InvalidDecimalError when it has another form (an exponent, a percent sign, a comma, nothing at all).
 */
export function parseDecimal(text: string): number {
  if (!DECIMAL.test(text)) throw new InvalidDecimalError(text);
  return Number(text);
}
