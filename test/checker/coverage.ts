// Which of what the operator declares has been reached, and in which world first.
import type { Write } from '../../operator/rollout/plan-types.ts';
import type { Status } from '../../operator/rollout/state.ts';
import { WAIT_REASONS } from '../../operator/rollout/waits.ts';

/** Everything that is declared, by what it is. Types make sure that no name is wrong; that none is missing the operator's own lists do. */
export const DECLARED = {
  phase: ['Healthy', 'Progressing', 'Paused', 'Degraded', 'RollingBack', 'Terminating'],
  wait: WAIT_REASONS,
  write: [
    'Metadata',
    'Apply',
    'CreateAdminSecret',
    'CopyReference',
    'PatchWorkload',
    'WriteRoute',
    'MarkPod',
    'DrainPod',
    'Delete',
    'Status',
  ],
  outcome: ['Promoted', 'FastPromoted', 'Aborted', 'Superseded', 'RolledBack'],
  'abort by': ['User', 'Metric', 'Deadline', 'KillSwitch', 'Chaos'],
  pause: ['CanaryPauseStep', 'BlueGreenPause'],
} as const;

export type Kind = keyof typeof DECLARED;

/** Why something that is declared is not reached in these worlds. What stands here and is reached is an error, and so is what is reached by nothing. */
export const UNREACHED: Readonly<Record<string, string>> = {
  'wait SpecRefused': 'not of plan(): the controller sets it when it cannot read the stored spec (controller.ts)',
  'wait WriteRefused':
    'not of plan(): the controller sets it when the API server refuses a write for good (controller.ts)',
  'abort by KillSwitch': 'feature flags are not carried out by this version: nothing aborts by them yet',
  'abort by Chaos': 'chaos steps are not carried out by this version: nothing aborts by them yet',
};

export class Coverage {
  /** `kind value` -> name of the first world that reached it. */
  readonly reached = new Map<string, string>();
  world = '';
  readonly #seen = new WeakSet<object>();

  #note(kind: Kind, value: string): void {
    const key = `${kind} ${value}`;
    if (!this.reached.has(key)) this.reached.set(key, this.world);
  }

  /** What is not as it should be; see coverageReport. */
  errors(): readonly string[] {
    return coverageReport(this.reached).errors;
  }

  /** A write that was carried out. */
  write(write: Write): void {
    if (this.#seen.has(write)) return;
    this.#seen.add(write);
    this.#note('write', write.kind);
    if (write.kind === 'Status') this.#status(write.status);
  }

  #status({ phase, blockedBy = [], history = [], abort, pauseConditions = [] }: Status): void {
    if (phase !== undefined) this.#note('phase', phase);
    for (const { reason } of blockedBy) this.#note('wait', reason);
    for (const { outcome } of history) this.#note('outcome', outcome);
    for (const { reason } of pauseConditions) this.#note('pause', reason);
    if (abort !== undefined) this.#note('abort by', abort.by);
  }
}

export interface CoverageReport {
  readonly rows: readonly {
    readonly kind: Kind;
    readonly value: string;
    readonly world: string | null;
    readonly why: string | null;
  }[];
  /** Reached by nothing and not explained; or explained and reached; or not declared at all. */
  readonly errors: readonly string[];
}

/** What was reached against what is declared. */
export function coverageReport(reached: ReadonlyMap<string, string>): CoverageReport {
  const rows = (Object.keys(DECLARED) as Kind[]).flatMap((kind) =>
    DECLARED[kind].map((value) => {
      const key = `${kind} ${value}`;
      return { kind, value, world: reached.get(key) ?? null, why: UNREACHED[key] ?? null };
    }),
  );
  const declared = new Set(rows.map(({ kind, value }) => `${kind} ${value}`));
  return {
    rows,
    errors: [
      ...rows.flatMap(({ kind, value, world, why }) =>
        world === null && why === null ? [`${kind} ${value} is reached by no world, and nothing says why`] : [],
      ),
      ...rows.flatMap(({ kind, value, world, why }) =>
        world !== null && why !== null
          ? [`${kind} ${value} is said to be out of reach, but "${world}" reaches it`]
          : [],
      ),
      ...[...reached.keys()].filter((key) => !declared.has(key)).map((key) => `${key} is reached but not declared`),
      ...Object.keys(UNREACHED)
        .filter((key) => !declared.has(key))
        .map((key) => `${key} is explained but not declared`),
    ],
  };
}
