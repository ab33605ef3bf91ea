// What `npm test` runs, in order: cheap and telling first, the embedded cluster last.
import path from 'node:path';

/** One stage: a static check that passes or fails as a whole, or a vitest project whose tests are counted one by one. */
export type Stage =
  | { readonly kind: 'check'; readonly name: string; readonly what: string; readonly command: readonly string[] }
  | {
      readonly kind: 'vitest';
      readonly name: string;
      readonly what: string;
      readonly needs: Needs;
      /** Too long for every day: runs only when a person names it. */
      readonly onDemand?: true;
    };

/** What has to be on the machine before a stage: nothing, the servers of registry packages, the built binaries as well, or all that a node takes. */
export type Needs = 'nothing' | 'packages' | 'binaries' | 'node';

export const stages: readonly Stage[] = [
  { kind: 'check', name: 'format', what: 'formatting (biome)', command: ['biome', 'format', '.'] },
  {
    kind: 'check',
    name: 'lint',
    what: 'typed lint and import directions (eslint)',
    command: ['eslint', '--max-warnings', '0', '.'],
  },
  { kind: 'check', name: 'types', what: 'types (tsc, strict)', command: ['tsc', '--noEmit'] },
  {
    kind: 'check',
    name: 'requirements',
    what: 'test titles name lines that exist',
    command: ['node', 'test/requirements.ts', '--check'],
  },
  { kind: 'vitest', name: 'unit', what: 'pure code, no servers', needs: 'nothing' },
  { kind: 'vitest', name: 'services', what: 'against real Redis, Postgres, OpenBao, Unleash', needs: 'packages' },
  { kind: 'vitest', name: 'operator', what: 'against a real kube-apiserver', needs: 'binaries' },
  { kind: 'vitest', name: 'infra', what: 'Pulumi programs with the real engine', needs: 'binaries' },
  { kind: 'vitest', name: 'e2e', what: 'the whole chain on the embedded cluster', needs: 'node' },
  {
    kind: 'vitest',
    name: 'releases',
    what: 'twenty releases back to back under 500 open sockets',
    needs: 'node',
    onDemand: true,
  },
];

/**
 * The stages that a person asked for by name; without a name all that are for every day, the static ones under `static`.
 * @throws Error naming the unknown stage and what there is.
 */
export function selectStages(names: readonly string[]): readonly Stage[] {
  const known = [...stages.map((s) => s.name), 'static'];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no test stage "${unknown}"; there are: ${known.join(', ')}`);
  if (names.length === 0) return stages.filter((s) => s.kind === 'check' || s.onDemand !== true);
  return stages.filter((s) => names.includes(s.name) || (s.kind === 'check' && names.includes('static')));
}

/** Counts of one stage or of all. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is counted here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    /** The file, absolute. */
    readonly name: string;
    /** Why the file could not be loaded or set up; empty when only tests failed. */
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** Counts a vitest report; a file that could not be loaded or whose set-up failed counts as one failure even when no test in it ran. */
export function tallyOf(report: VitestReport, exitCode: number): Tally {
  const broken = report.numFailedTests === 0 && exitCode !== 0 ? Math.max(1, report.numFailedTestSuites) : 0;
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken, skipped: report.numPendingTests };
}

/** A failed test or check and some lines of what it said, to be told again at the end of a long run. */
export interface Failure {
  readonly file: string;
  readonly test: string;
  readonly message: string;
}

/** The failures of a vitest report, files that could not be loaded among them; files are named relative to `root`. */
export function failuresOf(report: VitestReport, root: string): readonly Failure[] {
  return report.testResults.flatMap(({ name, message, status, assertionResults }) => {
    const file = path.relative(root, name);
    const tests = assertionResults.filter((result) => result.status === 'failed');
    if (tests.length === 0 && status === 'failed')
      return [{ file, test: 'could not be set up', message: head(message) }];
    return tests.map((t) => ({ file, test: t.fullName, message: head((t.failureMessages ?? []).join('\n')) }));
  });
}

const messageLines = 12;

function head(message: string): string {
  return message.split('\n').slice(0, messageLines).join('\n');
}

/** What a check said at its end, which is where it says what it found. */
export function lastLines(output: string): string {
  return output
    .trimEnd()
    .split('\n')
    .slice(-2 * messageLines)
    .join('\n');
}

/** Adds tallies up. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, t) => ({ passed: all.passed + t.passed, failed: all.failed + t.failed, skipped: all.skipped + t.skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** The closing line that CI reads. */
export function closingLine(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}
