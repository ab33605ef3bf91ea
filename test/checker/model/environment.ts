// What happens by itself: controllers follow, pods start, gateways accept and move, people leave; each as one small step.
import type { Measurement } from '../../../operator/rollout/analysis/measurement.ts';
import type { Plan } from '../../../operator/rollout/plan-types.ts';
import { removalOrder } from '../../../operator/rollout/drain.ts';
import { seenPod } from './observe.ts';
import { TROUBLES } from './specs.ts';
import { arrive, isSame, T0, type ModelPod, type ModelWorkload, type State } from './state.ts';
import { podsOf } from './writes.ts';

export interface Step {
  readonly label: string;
  readonly next: State;
  /** Pods that went because fewer were wanted. */
  readonly removed?: readonly ModelPod[];
}

/** One step for each way in which pods differ: equal pods give equal steps. */
function eachKind(pods: readonly ModelPod[], step: (pod: ModelPod) => Step): Step[] {
  const kinds = new Map(pods.map((pod) => [JSON.stringify({ ...pod, name: '' }), pod] as const));
  return [...kinds.values()].map(step);
}

const withPod = (state: State, pod: ModelPod, change: Partial<ModelPod>): State =>
  arrive({ ...state, pods: state.pods.map((each) => (each === pod ? { ...each, ...change } : each)) });

const unitText = ({ component, revision }: { component: string; revision: string }): string =>
  `${component} ${revision}`;

/** Steps that come soon if nobody is at fault: no clock that anybody waits for is over before them. */
export function urgentSteps(state: State): Step[] {
  return [...follow(state), ...startPods(state), ...gateway(state)];
}

/** Steps that come when people like. */
export function leave(state: State): Step[] {
  const held = state.pods.filter((pod) => pod.draining && pod.connected);
  return eachKind(held, (pod) => ({
    label: `the people on a pod of ${unitText(pod)} leave`,
    next: withPod(state, pod, { connected: false }),
  }));
}

function startPods(state: State): Step[] {
  const waiting = state.pods.filter((pod) => pod.trouble === null && !pod.running);
  const running = state.pods.filter((pod) => pod.running && !pod.ready);
  return [
    ...eachKind(waiting, (pod) => ({
      label: `a pod of ${unitText(pod)} runs`,
      next: withPod(state, pod, { running: true, started: true }),
    })),
    ...eachKind(running, (pod) => ({
      label: `a pod of ${unitText(pod)} is ready`,
      next: withPod(state, pod, { ready: true }),
    })),
  ];
}

/** The Deployment and ReplicaSet controllers look at a Deployment that has changed, or is gone. */
function follow(state: State): Step[] {
  const orphans = state.pods.filter((pod) => !state.workloads.some((workload) => isSame(pod, workload)));
  const gone =
    orphans.length === 0
      ? []
      : [
          {
            label: 'the pods of deleted Deployments go',
            next: { ...state, pods: state.pods.filter((pod) => !orphans.includes(pod)) },
            removed: orphans,
          },
        ];
  return [...gone, ...state.workloads.flatMap((workload) => followOne(state, workload))];
}

function followOne(state: State, workload: ModelWorkload): Step[] {
  const mine = podsOf(state, workload);
  const { replicas } = workload;
  if (mine.length === replicas && workload.podCount === replicas) return [];
  const counted = (pods: readonly ModelPod[]): State => ({
    ...state,
    pods,
    workloads: state.workloads.map((each) => (each === workload ? { ...each, podCount: replicas } : each)),
  });
  const label = `the controller of ${unitText(workload)} sees ${replicas} wanted`;
  if (mine.length <= replicas) {
    const fresh = Array.from({ length: replicas - mine.length }, (_, index) => newPod(state, workload, index));
    const next = { ...counted([...state.pods, ...fresh]), serial: state.serial + fresh.length };
    return [{ label, next }];
  }
  return surplus(mine, mine.length - replicas).map((removed) => ({
    label: `${label}, takes ${removed.map(podText).join(' and ')}`,
    next: counted(state.pods.filter((pod) => !removed.includes(pod))),
    removed,
  }));
}

function newPod(state: State, { component, revision }: ModelWorkload, index: number): ModelPod {
  const image = imageOf(state, component, revision);
  const trouble = TROUBLES[image.split(':').at(-1) ?? ''] ?? null;
  return {
    name: `new-${component}-${revision}-${state.serial + index}`,
    component,
    revision,
    running: !state.left.slowPods && trouble === null,
    started: !state.left.slowPods && trouble === null,
    ready: false,
    draining: false,
    drain: null,
    connected: false,
    trouble,
  };
}

function imageOf(state: State, component: string, revision: string): string {
  const template = state.records.find(({ hash }) => hash === revision)?.components[component]?.template as
    | { spec?: { containers?: { image?: string }[] } }
    | undefined;
  return template?.spec?.containers?.[0]?.image ?? '';
}

const podText = (pod: ModelPod): string =>
  `one that ${[
    pod.trouble !== null ? 'cannot run' : pod.ready ? 'is ready' : pod.running ? 'runs' : 'starts',
    ...(pod.draining ? ['drains'] : []),
    ...(pod.drain === null ? [] : ['is marked']),
    ...(pod.connected ? ['holds sessions'] : []),
  ].join(', ')}`;

/**
 * Every set of pods that the ReplicaSet controller may take: in the order of its classes; within one class any, for nodes, ages and uids decide there
 * (operator/rollout/drain.ts). Equal sets once.
 */
function surplus(pods: readonly ModelPod[], count: number): ModelPod[][] {
  const order = removalOrder(pods.map(seenPod)).map(({ name }) => pods.find((pod) => pod.name === name));
  const ranked = order.filter((pod) => pod !== undefined);
  const last = ranked[count - 1];
  if (last === undefined) return [];
  const rank = classOf(last);
  const sure = ranked.filter((pod) => isBefore(classOf(pod), rank));
  const level = ranked.filter((pod) => classOf(pod).join() === rank.join());
  const sets = choose(level, count - sure.length).map((some) => [...sure, ...some]);
  const kinds = new Map(
    sets.map((set) => [
      set
        .map((pod) => JSON.stringify({ ...pod, name: '' }))
        .sort()
        .join(),
      set,
    ]),
  );
  return [...kinds.values()];
}

/** ActivePodsWithRanks as far as the operator relies on it: pending, not ready, deletion cost. */
const classOf = (pod: ModelPod): number[] => [
  pod.started ? 1 : 0,
  pod.ready && !pod.draining ? 1 : 0,
  pod.drain === null ? 2 : pod.drain.released === true ? 0 : 1,
];

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const index = a.findIndex((value, place) => value !== b[place]);
  return index >= 0 && (a[index] ?? 0) < (b[index] ?? 0);
}

function choose<T>(list: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return list.flatMap((each, index) => choose(list.slice(index + 1), count - 1).map((rest) => [each, ...rest]));
}

function gateway(state: State): Step[] {
  const accepts = state.routes
    .filter((route) => route.acceptedGeneration !== route.generation)
    .map((route) => ({
      label: `the gateway accepts the route of ${route.intent.component}`,
      next: {
        ...state,
        routes: state.routes.map((each) => (each === route ? { ...each, acceptedGeneration: each.generation } : each)),
      },
    }));
  return [...accepts, ...moves(state)];
}

/** Traffic that is still to follow a route that was accepted, or deleted: the settle time is longer than that takes. */
export function moves(state: State): Step[] {
  const pending = state.routes.filter(
    (route) =>
      route.acceptedGeneration === route.generation &&
      !state.traffic.some((intent) => intent === route.intent || sameIntent(intent, route.intent)),
  );
  const gone = state.traffic.filter(
    ({ component }) => !state.routes.some(({ intent }) => intent.component === component),
  );
  return [
    ...pending.map(({ intent }) => ({
      label: `traffic of ${intent.component} moves to ${intent.backends.map((each) => `${each.revision}:${each.weight}`).join(' ')}`,
      next: arrive({
        ...state,
        traffic: [...state.traffic.filter(({ component }) => component !== intent.component), intent].sort((a, b) =>
          a.component < b.component ? -1 : 1,
        ),
      }),
    })),
    ...gone.map(({ component }) => ({
      label: `traffic of ${component} ends`,
      next: { ...state, traffic: state.traffic.filter((each) => each.component !== component) },
    })),
  ];
}

const sameIntent = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

const ANSWERS: Readonly<Record<string, Measurement['result']>> = {
  'is good': reading(0.001),
  'is bad': reading(0.5),
  'has no data': {
    kind: 'Reading',
    update: { value: null, samples: 0, evidence: null },
    stable: { value: null, samples: 0, evidence: null },
  },
  'cannot be measured': { kind: 'Error', message: 'the source did not answer' },
};

function reading(value: number): Measurement['result'] {
  const one = { value, samples: 1000, evidence: null };
  return { kind: 'Reading', update: one, stable: one };
}

/** The metric source answers what is due; other than well only as often as the budget has it. */
export function answers(state: State, plan: Plan): { readonly good: Step[]; readonly others: Step[] } {
  const due = plan.measure.filter(
    ({ dueAt, metric, since }) =>
      dueAt <= T0 &&
      !state.measurements.some((each) => each.metric === metric && each.since === since && each.at === T0),
  );
  const steps = due.flatMap(({ metric, since }) =>
    Object.entries(ANSWERS).map(([label, result]) => ({
      good: label === 'is good',
      step: {
        label: `${metric} ${label}`,
        next: {
          ...state,
          measurements: [
            ...state.measurements.filter((each) => each.metric !== metric),
            { metric, since, at: T0, result },
          ],
        },
      },
    })),
  );
  const spent = { ...state.left, answers: state.left.answers - 1 };
  return {
    good: steps.filter(({ good }) => good).map(({ step }) => step),
    others:
      state.left.answers === 0
        ? []
        : steps.filter(({ good }) => !good).map(({ step }) => ({ ...step, next: { ...step.next, left: spent } })),
  };
}

/** A pod is lost with its node, or its container ends and starts anew. */
export function deaths(state: State): Step[] {
  if (state.left.death === 0) return [];
  const left = { ...state.left, death: state.left.death - 1 };
  const lost = eachKind(state.pods, (pod) => ({
    label: `a pod of ${unitText(pod)} is lost`,
    next: { ...state, left, hurt: true, pods: state.pods.filter((each) => each !== pod) },
  }));
  const restarted = eachKind(
    state.pods.filter((pod) => pod.running),
    (pod) => ({
      label: `the container of a pod of ${unitText(pod)} restarts`,
      next: {
        ...withPod({ ...state, left, hurt: true }, pod, {
          running: false,
          ready: false,
          draining: false,
          connected: false,
        }),
      },
    }),
  );
  return [...lost, ...restarted];
}
