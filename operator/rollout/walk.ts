// Walking the stages: each is entered, waited for and left; behind the last one the update revision becomes stable.
import { abortRollout, hasStalled } from './abort.ts';
import { capacityWaits } from './capacity.ts';
import { advance, hold, note, type Look, type Move } from './decide.ts';
import { remember } from './history.ts';
import { enterStage } from './start.ts';
import { stagesHash, stagesOf } from './stages.ts';
import type { Stage } from './release.ts';
import type { Wait } from './waits.ts';

/** The rules of a rollout that is neither aborted nor superseded. */
export function walkStages(look: Look): Move {
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
  if (f.release.paused) return hold({ reason: 'SpecPaused', message: 'spec.paused is true; set it to false to go on' });
  const promoted =
    order?.verb === 'promote' && order.revision === p.update?.hash && order.stepsHash === step.stepsHash
      ? order.index
      : null;
  if (promoted === 'full' && step.index < stages.length) {
    return advance(enterStage(p, look, stages.length), note('PromotedFully', 'a person skipped the remaining steps'));
  }
  const stage = stages[step.index];
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
    case 'Pause':
      return pauseIsOver(look, stage) ? next(`${describe(stage)} is over`) : hold(pauseWait(look, stage));
    case 'Unsupported':
      return hold({
        reason: 'StepKindNotSupported',
        message: `this version cannot carry out the step "${stage.what}" and does not skip it by itself: promote it by hand, or remove it`,
      });
  }
}

/** What the weight of the current stage still needs: pods of every component, then routes that carry it. */
function weightWaits({ p, f, routes }: Look): Wait[] {
  const missing = capacityWaits(p, f, p.requested);
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

function promote({ p, f, now }: Look, byPerson: boolean): Move {
  if (p.update === null) return hold();
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
    },
    note('RolloutCompleted', `${stable.release} is stable; ${p.stable?.release ?? 'the old revision'} is drained`),
  );
}

const pauseStart = ({ p, now }: Look): number => Date.parse(p.pauses[0]?.startTime ?? new Date(now).toISOString());

const pauseIsOver = (look: Look, stage: Extract<Stage, { kind: 'Pause' }>): boolean =>
  stage.durationMs !== null && look.now >= pauseStart(look) + stage.durationMs;

function pauseWait(look: Look, stage: Extract<Stage, { kind: 'Pause' }>): Wait {
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
      return stage.durationMs === null ? 'pause until promoted' : `pause of ${stage.durationMs / 1000} s`;
    case 'Unsupported':
      return `step "${stage.what}"`;
  }
}
