// The status to publish: what was decided, and what the cluster shows of it. Never more than it shows.
import { summarize, type AssistantDeploymentStatus } from '@assistant-platform/api';
import { mergeConditions, type ConditionValue } from './conditions.ts';
import { isReleased } from './drain.ts';
import type { Facts, Unit } from './facts.ts';
import { podSelector } from './names.ts';
import type { Verification } from './routes.ts';
import type { DrainWindow, Pod } from './snapshot.ts';
import {
  atRest,
  type BlockedBy,
  type DrainingStatus,
  type Phase,
  type Progress,
  type SideStatus,
  type Status,
} from './state.ts';
import { countsAsStuck, isWaitReason } from './waits.ts';

export interface StatusInputs {
  readonly p: Progress;
  readonly f: Facts;
  readonly routes: Verification;
  readonly blockedBy: readonly BlockedBy[];
  readonly now: number;
}

/** Builds the whole status. Fields that are absent here are removed from the stored one. */
export function publish(inputs: StatusInputs): Status {
  const status = describeAll(inputs);
  return { ...status, summary: summarize(status as AssistantDeploymentStatus) };
}

function describeAll(inputs: StatusInputs): Status {
  const { p, f, blockedBy, now } = inputs;
  const draining = drainingStatus(f, now);
  const phase = phaseOf(inputs);
  const message = messageOf(inputs, phase);
  const observed = observedSockets(p, f);
  const componentName = f.components(p.stable?.hash ?? p.update?.hash ?? '').includes('realtime')
    ? 'realtime'
    : f.components(p.stable?.hash ?? p.update?.hash ?? '')[0];
  const stable = p.stable === null || componentName === undefined ? null : f.unit(p.stable.hash, componentName);
  return {
    observedGeneration: f.subject.generation,
    phase,
    message,
    ...(p.stable === null ? {} : { stableRevision: p.stable }),
    ...(p.update === null ? {} : { updateRevision: p.update }),
    ...(p.step === null ? {} : { step: p.step }),
    ...(p.update === null
      ? {}
      : { weight: { requested: p.requested, routed: p.routed, ...(observed === null ? {} : { observed }) } }),
    components: componentStatus(p, f),
    ...(draining.length === 0 ? {} : { draining }),
    ...(p.pauses.length === 0 ? {} : { pauseConditions: p.pauses }),
    ...(p.analysis.length === 0 ? {} : { analysis: p.analysis }),
    ...(blockedBy.length === 0 ? {} : { blockedBy }),
    ...(p.abort === null ? {} : { abort: p.abort }),
    conditions: mergeConditions(
      f.subject.status.conditions ?? [],
      conditionValues(inputs, phase, message, draining),
      f.subject.generation,
      now,
    ),
    ...(stable === null || componentName === undefined || p.stable === null
      ? {}
      : {
          replicas: stable.workload?.replicas ?? 0,
          selector: selectorText(podSelector(f.subject.name, componentName, p.stable.hash)),
        }),
    ...(p.history.length === 0 ? {} : { history: p.history }),
  };
}

const selectorText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

function phaseOf({ p, f, routes, blockedBy }: StatusInputs): Phase {
  if (f.subject.deleting) return 'Terminating';
  const reasons = blockedBy.map(({ reason }) => reason);
  if (p.stable === null) return reasons.includes('SpecPaused') ? 'Paused' : 'Progressing';
  if (atRest(p)) {
    if (reasons.includes('SpecPaused')) return 'Paused';
    if (!allServe(p.stable.hash, f)) return 'Degraded';
    return reasons.length === 0 ? 'Healthy' : 'Progressing';
  }
  const leaving = f.target.kind === 'Known' && f.target.hash !== p.update?.hash;
  if (p.abort !== null || leaving) {
    const back = routes.kind === 'Verified' && routes.share === 0 && p.routed === 0;
    return back && !leaving ? 'Degraded' : 'RollingBack';
  }
  const paused = reasons.some(
    (reason) => reason === 'SpecPaused' || reason === 'CanaryPauseStep' || reason === 'BlueGreenPause',
  );
  return paused ? 'Paused' : 'Progressing';
}

const allServe = (hash: string, f: Facts): boolean =>
  f.components(hash).every((component) => f.unit(hash, component).available > 0);

function messageOf({ p, blockedBy, f }: StatusInputs, phase: Phase): string {
  const first = blockedBy[0];
  if (phase === 'Healthy') return `${p.stable?.release ?? ''} is stable and serves all traffic`;
  const at =
    p.stable !== null && !atRest(p) && p.abort === null && !f.subject.deleting ? `holding at ${p.routed} %: ` : '';
  return first === undefined ? phase : `${at}${first.message}`;
}

function conditionValues(
  { p, f, routes, blockedBy, now }: StatusInputs,
  phase: Phase,
  message: string,
  draining: readonly DrainingStatus[],
): ConditionValue[] {
  const reasons = blockedBy.map(({ reason }) => reason);
  const ready =
    phase === 'Healthy' && routes.kind === 'Verified' && f.target.kind === 'Known' && f.target.hash === p.stable?.hash;
  const underWay = !f.subject.deleting && (p.stable === null || !atRest(p)) && p.abort === null;
  const stalled = blockedBy.some((entry) => isOverdue(entry, f, now));
  const aborted = p.abort !== null;
  const degraded = phase === 'Degraded' || aborted || stalled;
  const paused = phase === 'Paused';
  // Ready, so that a container that is only starting is not taken for one without the port.
  const byTime = f.snapshot.pods.some((pod) => pod.ready && !pod.terminating && pod.sessions.kind === 'unsupported');
  return [
    { type: 'Ready', holds: ready, reason: ready ? 'RolloutCompleted' : phase, message },
    progressing(p, underWay, stalled, message),
    {
      type: 'Degraded',
      holds: degraded,
      reason: aborted
        ? 'RolloutAborted'
        : phase === 'Degraded'
          ? 'StableUnavailable'
          : stalled
            ? 'ProgressDeadlineExceeded'
            : 'AsWanted',
      message: degraded ? message : '',
    },
    {
      type: 'Paused',
      holds: paused,
      reason: paused ? (reasons[0] ?? 'Paused') : 'NotPaused',
      message: paused ? message : '',
    },
    {
      type: 'Draining',
      holds: draining.length > 0,
      reason: draining.length === 0 ? 'NothingDrains' : byTime ? 'DrainByTime' : 'SessionsOpen',
      message: byTime
        ? 'some pods offer no admin port (GET /sessions, POST /drain): they are drained by time alone'
        : '',
    },
    ...fieldsIgnored(f),
  ];
}

/** What the spec asks for and this version does not do: said, never passed over in silence. The condition is there only when it has been needed. */
function fieldsIgnored({ release, subject }: Facts): ConditionValue[] {
  const ignored = [
    ...Object.entries(release.components).flatMap(([name, { autoscaling }]) =>
      autoscaling === null ? [] : [`spec.components.${name}.autoscaling (${autoscaling.min} pods run, its min)`],
    ),
    ...(release.flags.length === 0 ? [] : ['spec.flags']),
    ...(release.slo === null ? [] : ['spec.slo']),
  ];
  const known = subject.status.conditions?.some(({ type }) => type === 'FieldsIgnored') === true;
  if (ignored.length === 0 && !known) return [];
  return [
    {
      type: 'FieldsIgnored',
      holds: ignored.length > 0,
      reason: ignored.length > 0 ? 'NotCarriedOut' : 'NothingIgnored',
      message: ignored.length > 0 ? `this version does not carry out ${ignored.join(', ')}` : '',
    },
  ];
}

function progressing(p: Progress, underWay: boolean, stalled: boolean, message: string): ConditionValue {
  if (p.abort !== null) return { type: 'Progressing', holds: false, reason: 'RolloutAborted', message: p.abort.reason };
  if (stalled) return { type: 'Progressing', holds: false, reason: 'ProgressDeadlineExceeded', message };
  return underWay
    ? { type: 'Progressing', holds: true, reason: 'RolloutProgressing', message: '' }
    : { type: 'Progressing', holds: false, reason: 'RolloutCompleted', message: '' };
}

/** A wait for something that should have happened by itself within progressDeadline. */
const isOverdue = (entry: BlockedBy, f: Facts, now: number): boolean =>
  isWaitReason(entry.reason) &&
  countsAsStuck(entry.reason) &&
  now - Date.parse(entry.since) >= f.release.progressDeadlineMs;

function componentStatus(p: Progress, f: Facts): Status['components'] {
  const names = [p.stable, p.update].flatMap((ref) => (ref === null ? [] : f.components(ref.hash)));
  return Object.fromEntries(
    [...new Set(names)].sort().map((component) => [
      component,
      {
        ...(p.stable === null ? {} : { stable: side(f.unit(p.stable.hash, component)) }),
        ...(p.update === null ? {} : { update: side(f.unit(p.update.hash, component)) }),
      },
    ]),
  );
}

const side = (unit: Unit): SideStatus => ({
  replicas: unit.workload?.replicas ?? 0,
  ready: unit.available,
  sockets: unit.sockets,
});

/**
 * Share of open sessions that are on update, one decimal. Null when nothing is under way, nobody is connected, or a pod that runs has not said how many
 * it holds: then any share would be a guess. Components without an admin port do not count.
 */
function observedSockets(p: Progress, f: Facts): number | null {
  if (p.stable === null || p.update === null || atRest(p)) return null;
  const unitsOf = (hash: string): Unit[] => f.components(hash).map((component) => f.unit(hash, component));
  const [ofStable, ofUpdate] = [unitsOf(p.stable.hash), unitsOf(p.update.hash)];
  if ([...ofStable, ...ofUpdate].some((unit) => !unit.socketsKnown)) return null;
  const sum = (units: readonly Unit[]): number => units.reduce((total, { sockets }) => total + sockets, 0);
  const [stable, update] = [sum(ofStable), sum(ofUpdate)];
  return stable + update === 0 ? null : Math.round((update * 1000) / (stable + update)) / 10;
}

function drainingStatus(f: Facts, now: number): DrainingStatus[] {
  return f.revisions.flatMap((hash) =>
    f.components(hash).flatMap((component) => {
      const unit = f.unit(hash, component);
      const whole = unit.workload?.drain ?? null;
      const departing = departingPods(f, hash, component);
      const pods = [...(whole === null ? unit.leaving : unit.pods), ...departing];
      const windows = [
        ...(whole === null ? unit.leaving.map(({ drain }) => drain) : [whole]),
        ...departing.map(({ removal }) => removal),
      ];
      return pods.length === 0 ? [] : [entry(hash, component, pods, windows, now)];
    }),
  );
}

/** Pods that somebody else deletes and that still hold sessions: an eviction is a drain as well. */
const departingPods = (f: Facts, hash: string, component: string): (Pod & { readonly removal: DrainWindow })[] =>
  f.snapshot.pods.filter(
    (pod): pod is Pod & { readonly removal: DrainWindow } =>
      pod.removal !== null &&
      pod.running &&
      pod.revision === hash &&
      pod.component === component &&
      pod.sessions.kind === 'known' &&
      pod.sessions.open + pod.sessions.busy > 0,
  );

function entry(
  hash: string,
  component: string,
  pods: readonly Pod[],
  windows: readonly DrainWindow[],
  now: number,
): DrainingStatus {
  const deadline = Math.max(...windows.map((window) => window.deadline));
  const known = pods.map((pod) => (pod.running && pod.sessions.kind === 'known' ? pod.sessions : { open: 0, busy: 0 }));
  return {
    hash,
    component,
    sockets: known.reduce((sum, { open }) => sum + open, 0),
    busy: known.reduce((sum, { busy }) => sum + busy, 0),
    startedAt: new Date(Math.min(...windows.map((window) => window.startedAt))).toISOString(),
    deadline: new Date(deadline).toISOString(),
    forced: now >= deadline && pods.some((pod) => !isReleased(pod, null, now)),
  };
}
