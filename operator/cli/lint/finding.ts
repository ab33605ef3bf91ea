// What `lint` finds: the closed list of codes, with severity and meaning. The README's table is made of it, and a test compares them.
import type { Path } from '../schema.ts';

/** `error`: the API server or the operator refuses it. `warning`: it works, and one day it will hurt. `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

interface Kind {
  readonly severity: Severity;
  /** What it says, in general. */
  readonly means: string;
}

/** Codes never change their meaning; new ones may come. */
export const FINDINGS = {
  Syntax: { severity: 'error', means: 'The file is not YAML or JSON.' },
  Version: { severity: 'error', means: 'The apiVersion is another one.' },
  Schema: { severity: 'error', means: 'A field is missing, of the wrong type, or out of its range.' },
  UnknownField: { severity: 'error', means: 'A field that does not exist; a spelling is proposed.' },
  Duplicate: { severity: 'error', means: 'An entry of a list is there twice.' },
  Rule: { severity: 'error', means: 'Fields that contradict each other.' },
  UndefinedMetric: { severity: 'error', means: 'An analysis names a metric that spec.metrics does not declare.' },
  UndefinedFlag: { severity: 'error', means: 'A setFlag step names a feature that spec.flags does not declare.' },
  NoGate: {
    severity: 'warning',
    means: 'A canary reaches 100 % without a pause or an analysis on the way: nobody looks at it.',
  },
  WeightJump: {
    severity: 'warning',
    means: 'The weight rises by more than 50 points without an analysis of what it carries already.',
  },
  BlueGreenUnchecked: {
    severity: 'warning',
    means: 'Blue-green switches all traffic by itself without prePromotion analysis.',
  },
  NoDataPasses: {
    severity: 'warning',
    means: 'The only metrics that judge a release pass when they have no data: a silent Prometheus promotes.',
  },
  AnalysisCannotFail: {
    severity: 'warning',
    means:
      'An analysis has no more looks than failureLimit lets fail: a bad release is called back only when its duration is over.',
  },
  QueryIgnoresRevision: {
    severity: 'warning',
    means: 'A query without {{revision}} gives the same number for the new and the stable revision.',
  },
  UnknownPlaceholder: {
    severity: 'error',
    means: 'A query has a placeholder that does not exist: the operator refuses it.',
  },
  StepNotCarriedOut: {
    severity: 'warning',
    means:
      'A step of a kind that this version of the operator does not carry out yet: a release holds there until a person promotes it.',
  },
  UnusedMetric: { severity: 'warning', means: 'A declared metric that no analysis names.' },
  UnusedFlag: { severity: 'warning', means: 'A flag that follows steps, and no setFlag step moves it.' },
  SingleReplica: {
    severity: 'warning',
    means: 'A component with one pod: a node that is drained takes all of its sessions at once.',
  },
  LatestTag: {
    severity: 'warning',
    means: 'An image without tag or digest, or with latest: what runs may change by itself.',
  },
  ShortDrain: { severity: 'warning', means: 'The drain deadline is shorter than a pause, or too short for an answer.' },
  ShortProgressDeadline: {
    severity: 'warning',
    means: 'A progressDeadline under a minute: pulling an image alone may abort the release.',
  },
  SecretInEnv: { severity: 'warning', means: 'A variable whose name says secret has its value in the manifest.' },
  NoRequests: {
    severity: 'info',
    means: 'A component without resource requests is placed anywhere and evicted first.',
  },
  NoRollbackWindow: { severity: 'info', means: 'Without rollbackWindow, going back takes all the steps again.' },
  NoReleaseLabel: { severity: 'info', means: 'Without spec.release, status and history show hashes only.' },
} as const satisfies Record<string, Kind>;

export type FindingCode = keyof typeof FINDINGS;

/** One thing that is wrong, or could be better. */
export interface Finding {
  readonly code: FindingCode;
  readonly path: Path;
  /** What is so. */
  readonly message: string;
  /** What to write instead. */
  readonly remedy: string;
}

export const severityOf = ({ code }: Pick<Finding, 'code'>): Severity => FINDINGS[code].severity;
