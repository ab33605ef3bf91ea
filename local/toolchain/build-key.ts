/** The name under which a compiled program is cached: a hash of everything that can change it. Pure. */
import { createHash } from 'node:crypto';

/** All that goes into one program. */
export interface BuildInputs {
  /** Path inside the module's folder and content of main files, go.mod and go.sum. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** What `go version` says of the compiler that will be used, such as `go1.26.8`. */
  readonly goVersion: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Sixteen hexadecimal digits; the order of files and variables does not matter. */
export function buildKey(inputs: BuildInputs): string {
  const hash = createHash('sha256');
  // Every part is length-prefixed by JSON, so that no two different inputs read the same.
  hash.update(
    JSON.stringify({
      files: inputs.files.map(({ path, content }) => [path, content]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      go: inputs.goVersion,
      flags: inputs.flags,
      environment: Object.entries(inputs.environment)
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    }),
  );
  return hash.digest('hex').slice(0, 16);
}
