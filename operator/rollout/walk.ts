// Walking the stages: each is entered, waited for and left; behind the last one the update revision becomes stable.
import { abortRollout, hasStalled } from './abort.ts';
import type { AnalysisEntry } from './analysis/judge.ts';
import { judgeAll, judgementOf, type Judgement } from './watches.ts';
import { capacityWaits } from './capacity.ts';
import { advance, hold, note, type InstalledLook, type Move, type Note } from './decide.ts';
import { isSame } from './digest.ts';
import { remember } from './history.ts';
import { enterStage, referenceWait } from './start.ts';
import { stagesHash, stagesOf, weightAt } from './stages.ts';
import type { Stage } from './release.ts';
import { SPEC_PAUSED, type Wait } from './waits.ts';
import { lasting } from './words.ts';

/** The rules of a rollout that is neither aborted nor superseded. */
export function walkStages(look: InstalledLook): Move {
  const { p, f, order } = look;
  const { strategy } = f.release;
  const stages = stagesOf(strategy);
  const { step } = p;
  if (step === null || step.stepsHash !== stagesHash(strategy)) {
    return advance(
      enterStage(p, look, 0),
      note('StepsChanged', 'the steps were edited: starting again at the first one, at the weight reached'),
    );
  }
  if (p.requested < weightAt(stages, step.index)) {
    // It had to give way, was on its way back, and is asked for again: what its steps had shown was at another weight.
    return advance(
      enterStage(p, look, 0),
      note('RolloutStarted', `${p.update.release} begins again at the first step: it was on its way back`),
    );
  }
  const analysis = judgeAll(p, f);
  if (!isSame(analysis, p.analysis)) return advance({ ...p, analysis }, ...turns(p.analysis, analysis));
  const stage = stages[step.index];
  const judgement = judgementOf(p, f, stageIsOver(look, stage), look.now);
  // Behind the switch of a blue-green, traffic goes back only to where it is served: a broken new revision is no worse than a broken old one.
  const stays = stage?.kind === 'Analysis' && stage.when === 'PostPromotion' && !stableIsWhole(look);
  if (judgement.failure !== null && !stays) {
    return abortRollout(look, { at: new Date(look.now).toISOString(), reason: judgement.failure, by: 'Metric' });
  }
  if (f.release.paused) return hold(SPEC_PAUSED);
  // What is asked for now cannot even be named; what was asked for before is not led to its end meanwhile.
  if (f.target.kind === 'ReferencesMissing') return hold(referenceWait(f.target.missing));
  const promoted =
    order?.verb === 'promote' && order.revision === p.update.hash && order.stepsHash === step.stepsHash
      ? order.index
      : null;
  if (promoted === 'full' && step.index < stages.length) {
    return advance(enterStage(p, look, stages.length), note('PromotedFully', 'a person skipped the remaining steps'));
  }
  const waits = stage === undefined || stage.kind === 'SetWeight' ? weightWaits(look) : [];
  const stalled = waits.find((wait) => hasStalled(look, wait));
  if (stalled !== undefined && f.release.abortOnDeadline) {
    return abortRollout(look, {
      at: new Date(look.now).toISOString(),
      reason: `no progress: ${stalled.message}`,
      by: 'Deadline',
    });
  }
  if (waits.length > 0) return hold(...waits);
  if (stage === undefined) return promote(look, promoted === 'full');
  const next = (why: string): Move =>
    advance(
      enterStage(p, look, step.index + 1),
      note('StepCompleted', `step ${step.index + 1} of ${step.count}: ${why}`),
    );
  if (promoted === step.index && stage.kind !== 'SetWeight') return next(`${describe(stage)} passed by a person`);
  switch (stage.kind) {
    case 'SetWeight':
      return next(`${describe(stage)} is verified on the routes of all components`);
    case 'Pause': {
      const metrics = judgement.waits.filter(({ reason }) => reason !== 'AnalysisRunning');
      if (!stageIsOver(look, stage)) return hold(...metrics, pauseWait(look, stage));
      return judgement.waits.length === 0 ? next(`${describe(stage)} is over`) : hold(...judgement.waits);
    }
    case 'Analysis':
      if (judgement.failure !== null) return hold(...staysWaits(look, judgement.failure));
      if (judgement.waits.length === 0 && (judgement.sure || stageIsOver(look, stage)))
        return next(`${describe(stage)} passed${judgement.sure ? ', sure before its time' : ''}`);
      return hold(...analysisWaits(look, stage, judgement));
    case 'Unsupported':
      return hold({
        reason: 'StepKindNotSupported',
        message: `this version cannot carry out the step "${stage.what}" and does not skip it by itself: promote it by hand, or remove it`,
      });
  }
}

/** What the weight of the current stage still needs: pods of every component, then routes that carry it. */
function weightWaits({ p, f, routes }: InstalledLook): Wait[] {
  const missing = capacityWaits(p, f);
  if (missing.length > 0) return missing;
  if (routes.kind === 'Waiting') return [routes.wait];
  if (routes.share === p.requested) return [];
  return [
    {
      reason: 'RouteUpdating',
      message: `the routes carry ${routes.share} %, ${p.requested} % is being written`,
      lastsMs: f.release.progressDeadlineMs,
    },
  ];
}

function promote({ p, f, now }: InstalledLook, byPerson: boolean): Move {
  const stable = { hash: p.update.hash, release: p.update.release };
  const skipped =
    byPerson || p.history.some((entry) => entry.hash === stable.hash && entry.outcome.endsWith('Promoted'));
  const outcome = skipped ? 'FastPromoted' : 'Promoted';
  return advance(
    {
      ...remember(p, outcome, f.release.revisionHistoryLimit, now),
      stable,
      update: stable,
      requested: 100,
      routed: 100,
      pauses: [],
      analysis: [],
    },
    note('RolloutCompleted', `${stable.release} is stable; ${p.stable.release} is drained`),
  );
}

const stageStart = ({ p, now }: InstalledLook): number => Date.parse(p.step?.startedAt ?? new Date(now).toISOString());
const pauseStart = (look: InstalledLook): number => {
  const [pause] = look.p.pauses;
  return pause === undefined ? stageStart(look) : Date.parse(pause.startTime);
};

/** Its time is over; a weight has none. */
function stageIsOver(look: InstalledLook, stage: Stage | undefined): boolean {
  if (stage?.kind === 'Analysis') return look.now >= stageStart(look) + stage.durationMs;
  return stage?.kind === 'Pause' && stage.durationMs !== null && look.now >= pauseStart(look) + stage.durationMs;
}

/** Stable could carry all traffic again. */
function stableIsWhole({ p, f }: InstalledLook): boolean {
  const { hash } = p.stable;
  return f
    .components(hash)
    .every(
      (component) => f.unit(hash, component).available >= Math.max(1, f.release.components[component]?.replicas ?? 1),
    );
}

/** Told when a metric turns: people want to hear that it fails before it has failed too often. */
function turns(before: readonly AnalysisEntry[], after: readonly AnalysisEntry[]): Note[] {
  return after.flatMap(({ metric, verdict, message = '' }) => {
    const earlier = before.find((entry) => entry.metric === metric)?.verdict;
    if (earlier === verdict) return [];
    if (verdict === 'Failing') return [note('MetricFailing', message, 'Warning')];
    if (verdict === 'SourceError') return [note('MetricSourceError', `${metric}: ${message}`, 'Warning')];
    return earlier === 'Failing' || earlier === 'SourceError' ? [note('MetricRecovered', message)] : [];
  });
}

/** Why an analysis goes on: what speaks against the revision first, then one line for all that still runs. */
function analysisWaits(look: InstalledLook, stage: Extract<Stage, { kind: 'Analysis' }>, { waits }: Judgement): Wait[] {
  const running = waits.filter(({ reason }) => reason === 'AnalysisRunning');
  const nextChecks = waits.map(({ nextCheckAt }) => nextCheckAt);
  const all: Wait = {
    reason: 'AnalysisRunning',
    message: [describe(stage), ...running.map(({ message }) => message)].join('; '),
    since: stageStart(look),
    ...(nextChecks.length === 0 ? {} : { nextCheckAt: Math.min(...nextChecks) }),
  };
  const others = waits.filter(({ reason }) => reason !== 'AnalysisRunning');
  return stageIsOver(look, stage) && running.length === 0 ? others : [...others, all];
}

function staysWaits({ p, f }: InstalledLook, failure: string): Wait[] {
  const stable = p.stable.release;
  return [
    {
      reason: 'MetricFailing',
      message: `${failure}; traffic stays, for ${stable} could not carry it. Promote to keep the new release, or repair ${stable}`,
    },
    {
      reason: 'StableUnavailable',
      message: `${stable} has fewer ready pods than it needs to take the traffic back`,
      lastsMs: f.release.progressDeadlineMs,
    },
  ];
}

function pauseWait(look: InstalledLook, stage: Extract<Stage, { kind: 'Pause' }>): Wait {
  return {
    reason: stage.reason,
    message: `${describe(stage)} at ${look.p.requested} %`,
    since: pauseStart(look),
    ...(stage.durationMs === null ? {} : { lastsMs: stage.durationMs }),
  };
}

/** A stage in the words of the spec. */
export function describe(stage: Stage): string {
  switch (stage.kind) {
    case 'SetWeight':
      return `weight ${stage.weight} %`;
    case 'Pause':
      return stage.durationMs === null ? 'pause until promoted' : `pause of ${lasting(stage.durationMs)}`;
    case 'Analysis':
      return `${ANALYSIS_NAMES[stage.when]} of ${stage.metrics.join(', ')} over ${lasting(stage.durationMs)}`;
    case 'Unsupported':
      return `step "${stage.what}"`;
  }
}

const ANALYSIS_NAMES = {
  Step: 'analysis',
  PrePromotion: 'analysis before promotion',
  PostPromotion: 'analysis after promotion',
} as const;
