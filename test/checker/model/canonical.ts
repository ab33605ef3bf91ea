// The normal form of a state: what differs only in names, in the order of equal pods, or in counters that are only compared for equality, is one state.
import type { Status } from '../../../operator/rollout/state.ts';
import type { RouteIntent } from '../../../operator/rollout/snapshot.ts';
import { moves } from './environment.ts';
import { isSame, type ModelPod, type ModelRoute, type ModelSubject, type State } from './state.ts';
import { withoutOldOrder } from './time.ts';
import { podsOf } from './writes.ts';

/** Generations are only compared with the one that was observed: the present one is 2, every other 1. */
const PRESENT = 2;

export function canonical(state: State): State {
  const whole = { ...state, hurt: state.hurt && !isWhole(state) };
  const numbered = renumberRoutes(whole);
  const subject = numbered.subject === null ? null : canonicalSubject(numbered.subject);
  const pods = canonicalPods(numbered.pods);
  const since = Date.parse(subject?.status.step?.startedAt ?? '');
  const stale = numbered.measurements.some((each) => each.since !== since);
  return {
    ...numbered,
    subject,
    pods,
    serial: 0,
    measurements: stale ? numbered.measurements.filter((each) => each.since === since) : numbered.measurements,
  };
}

/** Every pod that is wanted is there and ready, and the routes of all components carry one weight that traffic follows. */
const isWhole = (state: State): boolean =>
  state.pods.every((pod) => pod.ready || pod.trouble !== null) &&
  state.workloads.every((each) => podsOf(state, each).length === each.replicas && each.podCount === each.replicas) &&
  state.routes.every((route) => route.acceptedGeneration === route.generation) &&
  moves(state).length === 0 &&
  new Set(state.routes.map(({ intent }) => weightsText(intent))).size <= 1;

const weightsText = ({ backends }: RouteIntent): string =>
  backends
    .filter(({ weight }) => weight > 0)
    .map(({ revision, weight }) => `${revision}:${weight}`)
    .join();

function canonicalSubject(subject: ModelSubject): ModelSubject {
  const annotations = withoutOldOrder(subject.annotations, subject.status.abort?.at);
  if (annotations === subject.annotations && subject.generation === PRESENT) return subject;
  const status = seenGenerations(subject.status, (generation) => (generation === subject.generation ? PRESENT : 1));
  return { ...subject, annotations, generation: PRESENT, status };
}

function seenGenerations(status: Status, change: (generation: number) => number): Status {
  return {
    ...status,
    ...(status.observedGeneration === undefined ? {} : { observedGeneration: change(status.observedGeneration) }),
    ...(status.conditions === undefined
      ? {}
      : {
          conditions: status.conditions.map((each) =>
            each.observedGeneration === undefined
              ? each
              : { ...each, observedGeneration: change(each.observedGeneration) },
          ),
        }),
  };
}

function canonicalPods(pods: readonly ModelPod[]): readonly ModelPod[] {
  const traits = new Map(
    pods.map((pod) => [pod, JSON.stringify({ ...pod, name: `${pod.component} ${pod.revision}` })] as const),
  );
  const text = (pod: ModelPod): string => traits.get(pod) ?? '';
  const sorted = pods.toSorted((a, b) => {
    const [x, y] = [`${a.component} ${a.revision}`, `${b.component} ${b.revision}`];
    if (x !== y) return x < y ? -1 : 1;
    return text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;
  });
  const named = sorted.map((pod, index) => {
    const before = sorted.slice(0, index).filter((each) => isSame(each, pod)).length;
    const name = `${pod.component}-${pod.revision}-${before}`;
    return name === pod.name ? pod : { ...pod, name };
  });
  return named.every((pod, index) => pod === pods[index]) ? pods : named;
}

const SETTLING = /(support-\w+) generation (\d+)/g;
const NOT_ACCEPTED = /generation (\d+) of HTTPRoute (support-\w+)/g;
const nameOf = (route: ModelRoute): string => `support-${route.intent.component}`;

/** Generations of routes, in the routes and in the messages of the status, become 1, 2, ... in their order. */
function renumberRoutes(state: State): State {
  const status = state.subject?.status;
  const texts = JSON.stringify([status?.blockedBy ?? [], status?.message, status?.conditions ?? []]);
  const numbers = new Map<string, Map<number, number>>();
  const seen = (name: string, generation: number): void => {
    if (generation > 0) (numbers.get(name) ?? numbers.set(name, new Map()).get(name))?.set(generation, 0);
  };
  for (const [, name = '', generation] of texts.matchAll(SETTLING)) seen(name, Number(generation));
  for (const [, generation, name = ''] of texts.matchAll(NOT_ACCEPTED)) seen(name, Number(generation));
  for (const route of state.routes) {
    seen(nameOf(route), route.generation);
    seen(nameOf(route), route.acceptedGeneration);
  }
  let moved = false;
  for (const known of numbers.values())
    for (const [index, generation] of [...known.keys()].sort((a, b) => a - b).entries()) {
      known.set(generation, index + 1);
      moved ||= generation !== index + 1;
    }
  if (!moved) return state;
  const to = (name: string, generation: number): number => numbers.get(name)?.get(generation) ?? 0;
  const reword = (text: string): string =>
    text
      .replaceAll(
        SETTLING,
        (_all, name: string, generation: string) => `${name} generation ${to(name, Number(generation))}`,
      )
      .replaceAll(
        NOT_ACCEPTED,
        (_all, generation: string, name: string) => `generation ${to(name, Number(generation))} of HTTPRoute ${name}`,
      );
  return {
    ...state,
    subject:
      state.subject === null
        ? null
        : { ...state.subject, status: JSON.parse(reword(JSON.stringify(state.subject.status))) as Status },
    routes: state.routes.map((route) => ({
      ...route,
      generation: to(nameOf(route), route.generation),
      acceptedGeneration: to(nameOf(route), route.acceptedGeneration),
    })),
  };
}
