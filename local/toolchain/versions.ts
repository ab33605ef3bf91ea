/** Version numbers as programs print them, and comparisons between them. Pure. */

/** The three numbers of a release; what follows them (`-rc.1`, `+dirty`) is not kept. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * Finds the first version in a text, such as `go version go1.26.8 linux/amd64`, `v3.259.0` or `Python 3.11`.
 * A missing patch number counts as 0. Undefined if there is none.
 */
export function parseVersion(text: string): Version | undefined {
  const match = /(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

/** Negative if `a` is older than `b`, positive if newer, 0 if equal. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** Whether `version` is `minimum` or newer. */
export function isAtLeast(version: Version, minimum: Version): boolean {
  return compareVersions(version, minimum) >= 0;
}

/** `1.26.8`. */
export function formatVersion(version: Version): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}
