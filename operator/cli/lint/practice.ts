// Good practice: what the API server takes, and what will hurt one day. Works on the resolved spec; each check is a function of its own.
import {
  formatDuration,
  type ResolvedAnalysis,
  type ResolvedComponent,
  type ResolvedMetric,
  type ResolvedSpec,
  type ResolvedStrategy,
} from '@assistant-platform/api';
import { stagesOf } from '@assistant-platform/operator/rollout';
import type { Path } from '../schema.ts';
import type { Finding } from './finding.ts';

type Canary = Extract<ResolvedStrategy, { type: 'Canary' }>;
type BlueGreen = Extract<ResolvedStrategy, { type: 'BlueGreen' }>;

const MINUTE = 60_000;
const STRATEGY: Path = ['spec', 'strategy'];
const STEPS: Path = [...STRATEGY, 'canary', 'steps'];

/** All advice. */
export function practiceFindings(spec: ResolvedSpec): Finding[] {
  const { strategy } = spec;
  return [
    ...(strategy.type === 'Canary' ? [...noGate(strategy), ...weightJumps(strategy)] : unchecked(strategy)),
    ...analyses(strategy).flatMap(({ analysis, path }) => cannotFail(analysis, path, spec.metrics)),
    ...notCarriedOut(strategy),
    ...noDataPasses(spec),
    ...spec.metrics.flatMap(queries),
    ...Object.entries(spec.components).flatMap(([name, component]) => componentFindings(name, component)),
    ...deadlines(spec),
    ...labels(spec),
  ];
}

/** A canary in which nothing ever looks at the new revision while it carries a part of the traffic. */
function noGate({ steps, analysis }: Canary): Finding[] {
  const full = steps.findIndex((step) => step.kind === 'SetWeight' && step.weight === 100);
  const before = full < 0 ? steps : steps.slice(0, full);
  const carrying = before.slice(before.findIndex((step) => step.kind === 'SetWeight' && step.weight > 0));
  const looks = carrying.some((step) => step.kind === 'Pause' || step.kind === 'Analysis' || step.kind === 'Chaos');
  const carries = before.some((step) => step.kind === 'SetWeight' && step.weight > 0);
  if (carries && (looks || analysis !== null)) return [];
  return [
    {
      code: 'NoGate',
      path: STEPS,
      message: 'the new revision reaches 100 % and nothing looks at it on the way',
      remedy: 'after the first setWeight write an analysis step, or a pause',
    },
  ];
}

/** Steps up by more than this many points want an analysis of what is carried already. */
const JUMP = 50;

function weightJumps({ steps, analysis }: Canary): Finding[] {
  const findings: Finding[] = [];
  let weight = 0;
  let judged = false;
  for (const [index, step] of [...steps, { kind: 'SetWeight', weight: 100 } as const].entries()) {
    if (step.kind === 'Analysis') judged = true;
    if (step.kind !== 'SetWeight') continue;
    const risen = step.weight - weight;
    if (risen > JUMP && !judged && analysis === null) {
      const last = index === steps.length;
      findings.push({
        code: 'WeightJump',
        path: last ? STEPS : [...STEPS, index],
        message: `${last ? 'after the last step ' : ''}the weight rises from ${weight} to ${step.weight} % without an analysis before it`,
        remedy: 'write an analysis step before it, a setWeight in between, or strategy.canary.analysis',
      });
    }
    if (risen > 0) judged = false;
    weight = step.weight;
  }
  return findings;
}

function unchecked({ autoPromote, prePromotion }: BlueGreen): Finding[] {
  if (!autoPromote || prePromotion !== null) return [];
  return [
    {
      code: 'BlueGreenUnchecked',
      path: [...STRATEGY, 'blueGreen'],
      message: 'all traffic switches by itself, and nothing judges the preview before',
      remedy: 'write prePromotion with a metric, or autoPromote: false',
    },
  ];
}

interface PlacedAnalysis {
  readonly analysis: ResolvedAnalysis;
  readonly path: Path;
}

function analyses(strategy: ResolvedStrategy): PlacedAnalysis[] {
  if (strategy.type === 'Canary') {
    return strategy.steps.flatMap((step, index) =>
      step.kind === 'Analysis' ? [{ analysis: step, path: [...STEPS, index, 'analysis'] }] : [],
    );
  }
  const { prePromotion, postPromotion } = strategy;
  return Object.entries({ prePromotion, postPromotion }).flatMap(([member, analysis]) =>
    analysis === null ? [] : [{ analysis, path: [...STRATEGY, 'blueGreen', member] }],
  );
}

/** A simple limit fails after failureLimit + 1 failing checks; an analysis with fewer looks gets there only when its time is over. */
function cannotFail(
  { metrics, durationMs, intervalMs }: ResolvedAnalysis,
  path: Path,
  all: readonly ResolvedMetric[],
): Finding[] {
  const looks = Math.floor(durationMs / intervalMs);
  return all
    .filter(({ name, comparedToStable, failureLimit }) => {
      return metrics.includes(name) && comparedToStable === null && looks <= failureLimit;
    })
    .map(({ name, failureLimit }) => ({
      code: 'AnalysisCannotFail' as const,
      path,
      message: `it looks ${looks} ${looks === 1 ? 'time' : 'times'} at ${name}, whose failureLimit allows ${failureLimit} failing checks`,
      remedy: `write a duration of at least ${formatDuration(intervalMs * (failureLimit + 1))}, a shorter interval, or a smaller failureLimit`,
    }));
}

/** The operator's own list of stages says what it can do. */
function notCarriedOut(strategy: ResolvedStrategy): Finding[] {
  if (strategy.type !== 'Canary') return [];
  return stagesOf(strategy).flatMap((stage, index) =>
    stage.kind === 'Unsupported'
      ? [
          {
            code: 'StepNotCarriedOut' as const,
            path: [...STEPS, index],
            message: `this version of the operator does not carry out ${stage.what}: a release holds there`,
            remedy: 'remove the step, or promote past it each time',
          },
        ]
      : [],
  );
}

function noDataPasses({ strategy, metrics }: ResolvedSpec): Finding[] {
  const background = strategy.type === 'Canary' ? (strategy.analysis?.metrics ?? []) : [];
  const used = new Set([...background, ...analyses(strategy).flatMap(({ analysis }) => analysis.metrics)]);
  const gates = metrics.filter(({ name }) => used.has(name));
  if (gates.length === 0 || gates.some(({ onNoData }) => onNoData !== 'Pass')) return [];
  return gates.map(({ name }) => ({
    code: 'NoDataPasses' as const,
    path: ['spec', 'metrics', metrics.findIndex((metric) => metric.name === name), 'onNoData'],
    message: `${gates.length === 1 ? `${name} is the only metric that judges, and` : 'every metric that judges'} passes without data`,
    remedy: 'write onNoData: Wait (the default), or Fail',
  }));
}

const PLACEHOLDERS = ['name', 'namespace', 'component', 'revision'];

function queries({ source }: ResolvedMetric, index: number): Finding[] {
  if (source.kind !== 'Prometheus') return [];
  const path = ['spec', 'metrics', index, 'prometheus', 'query'];
  const used = [...source.query.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, name = '']) => name);
  const strange = used.filter((name) => !PLACEHOLDERS.includes(name));
  return [
    ...strange.map((name) => ({
      code: 'UnknownPlaceholder' as const,
      path,
      message: `there is no {{${name}}} to put in`,
      remedy: `write one of ${PLACEHOLDERS.map((each) => `{{${each}}}`).join(', ')}`,
    })),
    ...(used.includes('revision')
      ? []
      : [
          {
            code: 'QueryIgnoresRevision' as const,
            path,
            message: 'it measures the new and the stable revision together',
            remedy: 'select by revision="{{revision}}"',
          },
        ]),
  ];
}

/** Names that say what is in them. */
const SECRET = /(^|_)(SECRET|TOKEN|PASSWORD|PASSWD|APIKEY|API_KEY|PRIVATE_KEY|CREDENTIALS?)(_|$)/i;

function componentFindings(name: string, component: ResolvedComponent): Finding[] {
  const path: Path = ['spec', 'components', name];
  const findings: Finding[] = [];
  if (component.replicas === 1) {
    findings.push({
      code: 'SingleReplica',
      path,
      message: `${name} runs in one pod`,
      remedy: component.autoscaling === null ? 'write replicas: 2 or more' : 'write autoscaling.min: 2 or more',
    });
  }
  if (isMoving(component.image)) {
    findings.push({
      code: 'LatestTag',
      path: [...path, 'image'],
      message: `${component.image} may be another image tomorrow, and the revision stays the same`,
      remedy: 'write a version as tag, or a digest',
    });
  }
  for (const [index, variable] of component.env.entries()) {
    if (variable.value === undefined || variable.value === '' || !SECRET.test(variable.name)) continue;
    findings.push({
      code: 'SecretInEnv',
      path: [...path, 'env', index],
      message: `${variable.name} is written in the open`,
      remedy: 'put it into a Secret, and write valueFrom.secretKeyRef',
    });
  }
  if (component.resources.requests === undefined) {
    findings.push({
      code: 'NoRequests',
      path: [...path, 'resources'],
      message: `${name} requests no resources`,
      remedy: 'write resources.requests with cpu and memory',
    });
  }
  return findings;
}

/** No digest, and no tag or the tag latest. A colon before the last slash belongs to the port of the registry. */
function isMoving(image: string): boolean {
  if (image.includes('@')) return false;
  const [, tag] = (image.split('/').at(-1) ?? '').split(':');
  return tag === undefined || tag === 'latest';
}

function deadlines({ strategy, drain, progressDeadlineMs }: ResolvedSpec): Finding[] {
  const pauses =
    strategy.type === 'Canary'
      ? strategy.steps.flatMap((step) => (step.kind === 'Pause' && step.durationMs !== null ? [step.durationMs] : []))
      : [strategy.autoPromoteAfterMs];
  const longest = Math.max(0, ...pauses);
  const path: Path = [...STRATEGY, 'drain', 'deadline'];
  const short = formatDuration(drain.deadlineMs);
  const findings: Finding[] = [];
  if (drain.deadlineMs < MINUTE / 2) {
    findings.push({
      code: 'ShortDrain',
      path,
      message: `open sessions are cut after ${short}, many of them in the middle of an answer`,
      remedy: 'write at least 1m; idle sessions move within seconds all the same',
    });
  } else if (drain.deadlineMs < longest) {
    findings.push({
      code: 'ShortDrain',
      path,
      message: `sessions may live ${formatDuration(longest)} in a pause of the strategy, and have ${short} to leave`,
      remedy: `write at least ${formatDuration(longest)}`,
    });
  }
  if (progressDeadlineMs < MINUTE) {
    findings.push({
      code: 'ShortProgressDeadline',
      path: [...STRATEGY, 'progressDeadline'],
      message: `pods have ${formatDuration(progressDeadlineMs)} to become ready before the release counts as failed`,
      remedy: 'write at least 1m; 10m is the default',
    });
  }
  return findings;
}

function labels({ release, rollbackWindow }: ResolvedSpec): Finding[] {
  return [
    ...(release === ''
      ? [
          {
            code: 'NoReleaseLabel' as const,
            path: ['spec', 'release'],
            message: 'the release has no label',
            remedy: 'write release: "1.1.0", or what people call it',
          },
        ]
      : []),
    ...(rollbackWindow === 0
      ? [
          {
            code: 'NoRollbackWindow' as const,
            path: [...STRATEGY, 'rollbackWindow'],
            message: 'going back to an earlier release takes all the steps again',
            remedy: 'write rollbackWindow: { revisions: 3 }',
          },
        ]
      : []),
  ];
}
