/** Finds the Go compiler and makes sure that the version that compiles is new enough for every module. */
import { GO_ENVIRONMENT } from './builds.ts';
import { CommandError, runCommand } from './command.ts';
import { compareVersions, formatVersion, parseVersion, type Version } from './versions.ts';

/** The oldest Go that may be installed: older ones cannot fetch a newer compiler in the form used here. */
export const MINIMUM_GO: Version = { major: 1, minor: 25, patch: 0 };

/**
 * The newest `go` line of the modules under local/binaries (a test compares them), and a compiler that is fetched
 * through the Go module proxy when the installed one is older.
 */
export const NEEDED_GO: Version = { major: 1, minor: 26, patch: 0 };
const FETCHED_GO = 'go1.26.8';

/** A Go compiler ready to use. */
export interface Go {
  /** The version that will compile, as it names itself: `go1.26.8`. */
  readonly version: string;
  /** To be given to every `go` command, on top of the process's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * What GOTOOLCHAIN has to be. The installed compiler is used as it is when it is new enough: a build must not switch
 * compilers behind the back of the cache key.
 */
export function chooseToolchain(installed: Version): string {
  return compareVersions(installed, NEEDED_GO) >= 0 ? 'local' : FETCHED_GO;
}

/**
 * @param goCache folder for GOCACHE, where compiled packages are kept.
 * @throws when there is no Go, or one too old to fetch a newer one.
 */
export async function findGo(goCache: string): Promise<Go> {
  const environment = { ...GO_ENVIRONMENT, GOCACHE: goCache };
  const installed = await goVersion({ ...environment, GOTOOLCHAIN: 'local' });
  if (compareVersions(installed.parsed, MINIMUM_GO) < 0) {
    throw new Error(
      `Go ${formatVersion(installed.parsed)} is too old: the cluster's programs are compiled with Go ` +
        `${formatVersion(MINIMUM_GO)} or newer. Install one from your distribution or from go.dev/dl, and put it first in PATH.`,
    );
  }
  const toolchain = chooseToolchain(installed.parsed);
  const chosen = { ...environment, GOTOOLCHAIN: toolchain };
  const version = toolchain === 'local' ? installed.name : (await goVersion(chosen)).name;
  return { version, environment: chosen };
}

async function goVersion(
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ name: string; parsed: Version }> {
  const text = await runCommand('go', ['version'], { env }).catch((error: unknown) => {
    if (error instanceof CommandError && error.status === null) {
      throw new Error(
        `Go is not installed, or not in PATH. The cluster's programs are compiled on this machine and need Go ` +
          `${formatVersion(MINIMUM_GO)} or newer: install it from your distribution or from go.dev/dl.`,
        { cause: error },
      );
    }
    throw error;
  });
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`Cannot read a version from what "go version" said: ${text}`);
  return { name: /\bgo\d[\w.]*/.exec(text)?.[0] ?? formatVersion(parsed), parsed };
}
