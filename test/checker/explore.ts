// Visits every state of a world, the nearest first, each once; then judges the whole graph: does everything come to rest, does a kill change an end.
import { plan as decision } from '../../operator/rollout/plan.ts';
import { Coverage } from './coverage.ts';
import { EDGE, Graph, type EdgeKind } from './graph.ts';
import { checkRest, type Violation } from './invariants.ts';
import { keysOf, type Budget, type State } from './model/state.ts';
import { pass } from './model/time.ts';
import { Transitions, type Cause, type Decide, type Transition } from './transitions.ts';
import { startOf, type World } from './worlds.ts';

export interface Limits {
  /** Not further from the start than this. */
  readonly depth: number;
  readonly states: number;
}

export interface Found extends Violation {
  /** The shortest way to it, line by line. */
  readonly trace: readonly string[];
}

export interface Result {
  readonly world: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly plans: number;
  readonly ends: number;
  readonly seconds: number;
  /** What was not visited because of a limit; null: everything was. */
  readonly cut: string | null;
  readonly violations: readonly Found[];
}

export interface ExploreOptions {
  readonly limits?: Partial<Limits>;
  readonly coverage?: Coverage;
  /** Instead of the operator's own: a decision with a planted bug. */
  readonly decide?: Decide;
  /** Told now and then. */
  readonly progress?: (states: number, depth: number, waiting: number) => void;
  /** Seconds, for the report. */
  readonly clock?: () => number;
}

const EDGE_OF: Readonly<Partial<Record<Cause, EdgeKind>>> = {
  Operator: EDGE.operator,
  Environment: EDGE.environment,
  Time: EDGE.time,
};

/** More different violations than this of one world nobody reads. */
const VIOLATIONS_AT_MOST = 8;
const HOUR_MS = 3_600_000;

/** Visits a world. */
export function explore(world: World, options: ExploreOptions = {}): Result {
  return new Exploration(world, options).run();
}

class Exploration {
  readonly #world: World;
  readonly #options: ExploreOptions;
  readonly #keys = keysOf();
  readonly #transitions: Transitions;
  readonly #numbers = new Map<string, number>();
  readonly #parents: number[] = [-1];
  readonly #ordinals: number[] = [-1];
  readonly #graph = new Graph();
  readonly #rests: { readonly number: number; readonly left: Budget; readonly end: string }[] = [];
  readonly #unvisited: number[] = [];
  readonly #found = new Map<string, Found>();
  #start: State | null = null;
  #visited = 0;
  #transitionCount = 0;

  constructor(world: World, options: ExploreOptions) {
    this.#world = world;
    this.#options = options;
    const coverage = options.coverage ?? new Coverage();
    coverage.world = world.name;
    this.#transitions = new Transitions(options.decide ?? decision, this.#keys, coverage);
  }

  run(): Result {
    const { limits = {}, clock = () => performance.now() / 1000 } = this.#options;
    const { depth: deepest = Infinity, states: most = Infinity } = limits;
    const begun = clock();
    const start = startOf(this.#world, this.#transitions);
    this.#start = start;
    this.#numbers.set(this.#keys(start).whole, 0);
    let depth = 0;
    let level: { readonly number: number; readonly state: State }[] = [{ number: 0, state: start }];
    let cut: string | null = null;
    while (level.length > 0) {
      const next: typeof level = [];
      for (const each of level) {
        if (depth >= deepest || this.#visited >= most) {
          cut = depth >= deepest ? `nothing further than ${deepest} steps` : `${most} states, then no more`;
          this.#unvisited.push(each.number);
          continue;
        }
        next.push(...this.#visit(each.number, each.state));
        if (this.#visited % 1000 === 0) this.#options.progress?.(this.#visited, depth, level.length + next.length);
      }
      level = next;
      if (next.length > 0) depth += 1;
    }
    this.#judge(cut !== null);
    return {
      world: this.#world.name,
      states: this.#visited,
      transitions: this.#transitionCount,
      depth,
      plans: this.#transitions.plans,
      ends: new Set(this.#rests.map(({ end }) => end)).size,
      seconds: clock() - begun,
      cut,
      violations: [...this.#found.values()],
    };
  }

  /** @returns the states that were not known yet. */
  #visit(number: number, state: State): { number: number; state: State }[] {
    this.#visited += 1;
    const { transitions, rests, violations } = this.#transitions.of(state);
    for (const violation of violations) this.#report(violation, number, null);
    if (rests) this.#rest(number, state);
    const fresh: { number: number; state: State }[] = [];
    for (const [ordinal, transition] of transitions.entries()) {
      this.#transitionCount += 1;
      for (const violation of transition.violations) this.#report(violation, number, ordinal);
      const key = this.#keys(transition.next).whole;
      let to = this.#numbers.get(key);
      if (to === undefined) {
        to = this.#numbers.size;
        this.#numbers.set(key, to);
        this.#parents.push(number);
        this.#ordinals.push(ordinal);
        fresh.push({ number: to, state: transition.next });
      }
      const kind = EDGE_OF[transition.cause];
      if (kind !== undefined) this.#graph.add(number, to, kind);
    }
    return fresh;
  }

  #rest(number: number, state: State): void {
    const later = state.subject === null ? null : this.#transitions.look(pass(state, HOUR_MS));
    for (const violation of checkRest(state, later)) this.#report(violation, number, null);
    this.#rests.push({ number, left: state.left, end: endOf(state) });
  }

  #judge(isCut: boolean): void {
    const count = this.#numbers.size;
    const [lost] = this.#graph.lost(count, [...this.#rests.map(({ number }) => number), ...this.#unvisited]);
    if (lost !== undefined)
      this.#report({ invariant: 8, message: 'from here nothing leads to rest without a person' }, lost, null);
    const [endless] = this.#graph.endless(count);
    if (endless !== undefined)
      this.#report({ invariant: 8, message: 'the operator writes for ever while nothing else happens' }, endless, null);
    if (isCut) return; // ends may be missing
    this.#compareEnds('crash', 'a kill');
    this.#compareEnds('stale', 'a stale plan');
  }

  /** Invariant 7: what ends where a fault was spent also ends so without it, after the same deeds and other faults. */
  #compareEnds(fault: 'crash' | 'stale', what: string): void {
    const full = this.#world.budget[fault];
    const groups = Map.groupBy(this.#rests, ({ left }) => JSON.stringify({ ...left, [fault]: 0 }));
    for (const group of groups.values()) {
      const calm = new Set(group.filter(({ left }) => left[fault] === full).map(({ end }) => end));
      const other = group.find(({ left, end }) => left[fault] < full && !calm.has(end));
      if (other === undefined) continue;
      this.#report(
        {
          invariant: 7,
          message: `${what} leads to an end that is not there without it: ${differenceOf(calm, other.end)}`,
        },
        other.number,
        null,
      );
    }
  }

  #report(violation: Violation, number: number, ordinal: number | null): void {
    const key = `${violation.invariant} ${violation.message.replaceAll(/\b[0-9a-f]{8}\b/g, '#')}`;
    if (this.#found.has(key) || this.#found.size >= VIOLATIONS_AT_MOST) return;
    this.#found.set(key, { ...violation, trace: this.#trace(number, ordinal) });
  }

  /** Walks again from the start, and says what happened. */
  #trace(number: number, ordinal: number | null): string[] {
    const path: number[] = ordinal === null ? [] : [ordinal];
    for (let each = number; each > 0; each = this.#parents[each] ?? 0) path.unshift(this.#ordinals[each] ?? 0);
    const lines: string[] = [];
    let state = this.#start;
    for (const step of path) {
      const transition: Transition | undefined =
        state === null ? undefined : this.#transitions.of(state).transitions[step];
      if (transition === undefined) break;
      lines.push(...transition.lines());
      state = transition.next;
    }
    return lines;
  }
}

/**
 * Everything that stays, without times. A Deployment without pods is as good as none, and how many more pods than it needs an update has in mid-rollout
 * is left open: it never shrinks there.
 */
function endOf(state: State): string {
  const { subject } = state;
  if (subject === null) return JSON.stringify({ gone: true });
  const { status } = subject;
  const [stable, update] = [status.stableRevision?.hash, status.updateRevision?.hash];
  const isOpen = (revision: string): boolean => revision === update && update !== stable;
  const workloads = state.workloads.filter(({ replicas, drain }) => replicas > 0 || drain !== null);
  const pods = state.pods.map(({ component, revision, ready }) => ({
    revision,
    text: `${component} ${revision} ${ready}`,
  }));
  return JSON.stringify({
    spec: subject.spec,
    phase: status.phase,
    stable,
    update,
    step: [status.step?.index, status.step?.count],
    weight: [status.weight?.requested, status.weight?.routed],
    abort: status.abort?.by,
    outcomes: status.history?.map(({ hash, outcome }) => `${hash} ${outcome}`),
    waits: status.blockedBy?.map(({ reason }) => reason),
    conditions: status.conditions?.map(({ type, status: holds, reason }) => `${type} ${holds} ${reason}`),
    workloads: workloads.map(
      ({ name, revision, replicas, drain }) =>
        `${name} ${isOpen(revision) ? 'some' : replicas}${drain === null ? '' : ' draining'}`,
    ),
    pods: pods.filter(({ revision }) => !isOpen(revision)).map(({ text }) => text),
    open: [...new Set(pods.filter(({ revision }) => isOpen(revision)).map(({ text }) => text))],
    routes: state.routes.map(({ intent }) => intent),
    services: state.services.map(({ name }) => name),
    budgets: state.disruptionBudgets.map(({ name }) => name),
    records: state.records.map(({ hash }) => hash).sort(),
    copies: state.copies.map(({ name }) => name),
  });
}

/** The parts in which an end differs from another. */
function partsThatDiffer(one: string, other: string): { part: string; here: unknown; there: unknown }[] {
  const [a, b] = [JSON.parse(one) as Record<string, unknown>, JSON.parse(other) as Record<string, unknown>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((part) => JSON.stringify(a[part]) !== JSON.stringify(b[part]))
    .map((part) => ({ part, here: b[part], there: a[part] }));
}

/** How an end differs from the one of `ends` that is nearest to it. */
function differenceOf(ends: Iterable<string>, other: string): string {
  const [nearest] = [...ends].map((end) => partsThatDiffer(end, other)).sort((a, b) => a.length - b.length);
  if (nearest === undefined) return 'nothing ends without it';
  return nearest
    .map(({ part, here, there }) => `${part} ${JSON.stringify(here)}, not ${JSON.stringify(there)}`)
    .join('; ');
}
