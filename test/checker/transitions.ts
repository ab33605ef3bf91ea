// All that may happen next in a state: the operator looks and writes, alone or overtaken by something, whole or killed in the middle, from fresh or from
// stale knowledge; the environment takes a step; a person does something; time passes. The decision is the real plan().
import type { Plan, Write } from '../../operator/rollout/plan-types.ts';
import type { Snapshot } from '../../operator/rollout/snapshot.ts';
import { checkQuiet, checkRemoved, checkState, checkWrite, type Violation } from './invariants.ts';
import { canonical } from './model/canonical.ts';
import { answers, deaths, leave, moves, urgentSteps, type Step } from './model/environment.ts';
import { observe } from './model/observe.ts';
import { deeds } from './model/people.ts';
import { PROGRESS_DEADLINE_MS, SETTLE_MS } from './model/specs.ts';
import { T0, WATCHED, type Keys, type State, type Watched } from './model/state.ts';
import { pass } from './model/time.ts';
import { carryOut } from './model/writes.ts';
import type { Coverage } from './coverage.ts';

export type Decide = (snapshot: Snapshot, now: number) => Plan;

/** Who brought a state about. `Fault` and `Person` are spent; the others happen for ever. */
export type Cause = 'Operator' | 'Environment' | 'Time' | 'Person' | 'Fault' | 'Overlap';

export interface Transition {
  readonly cause: Cause;
  /** What happened, in order; made only when somebody wants to read it. */
  readonly lines: () => readonly string[];
  readonly next: State;
  readonly violations: readonly Violation[];
}

export interface Successors {
  readonly transitions: readonly Transition[];
  /** Nothing happens from here without a person or a fault. */
  readonly rests: boolean;
  /** Of the state itself. */
  readonly violations: readonly Violation[];
}

interface Run {
  readonly state: State;
  readonly written: readonly Write[];
  readonly refused: Write | null;
  readonly violations: readonly Violation[];
}

/** Writes that the environment and people can tell from the outside; before others an interruption changes nothing. */
function isVisible(write: Write): boolean {
  if (write.kind === 'Apply') return write.object.kind === 'Deployment';
  if (write.kind === 'Delete') return write.ref.kind === 'Deployment' || write.ref.kind === 'HTTPRoute';
  return write.kind !== 'CreateAdminSecret' && write.kind !== 'CopyReference';
}

export class Transitions {
  readonly #decide: Decide;
  readonly #keys: Keys;
  readonly #coverage: Coverage;
  readonly #plans = new Map<string, Plan>();
  /** How often the decision was asked, and had not been asked the same before. */
  plans = 0;

  constructor(decide: Decide, keys: Keys, coverage: Coverage) {
    this.#decide = decide;
    this.#keys = keys;
    this.#coverage = coverage;
  }

  /** What the operator decides when it sees this. Equal sights, equal plans. */
  look(seen: State): Plan {
    const key = this.#keys(seen).observed;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    this.plans += 1;
    const plan = this.#decide(observe(seen), T0);
    this.#plans.set(key, plan);
    return plan;
  }

  of(state: State): Successors {
    const { subject } = state;
    const plan = subject === null ? null : this.look(state);
    const writes = plan?.writes ?? [];
    const urgent = urgentSteps(state);
    const asked = plan === null || writes.length > 0 ? { good: [], others: [] } : answers(state, plan);
    const byItself = [...urgent, ...leave(state), ...asked.good];
    const people = deeds(state);
    const changes = [...byItself, ...people];
    const operator = writes.length === 0 ? null : this.#run(writes, state, state);
    const quiet = operator === null && urgent.length === 0;
    const ticks = quiet && asked.good.length === 0 ? this.#tick(state, plan) : [];
    const transitions = [
      ...(operator === null ? [] : [operatorMoves('Operator', 'the operator writes', operator)]),
      ...byItself.map((step) => happens('Environment', state, step)),
      ...ticks,
      ...people.map((step) => happens('Person', state, step)),
      ...asked.others.map((step) => happens('Fault', state, step)),
      ...deaths(state).map((step) => happens('Fault', state, step)),
      ...this.#slow(state, quiet),
      ...this.#crashes(state, writes),
      ...this.#overlaps(state, writes, changes),
      ...this.#stale(state, operator, changes),
    ];
    const hot =
      plan !== null && writes.length === 0 && plan.lookAgainAt !== null && plan.lookAgainAt <= T0
        ? [{ invariant: 8, message: 'it writes nothing and wants to look again at once' }]
        : [];
    return {
      transitions,
      rests: operator === null && byItself.length === 0 && ticks.length === 0,
      violations: [...checkState(state), ...(quiet ? checkQuiet(state) : []), ...hot],
    };
  }

  #run(writes: readonly Write[], from: State, seen: State): Run {
    let state = from;
    const written: Write[] = [];
    const violations: Violation[] = [];
    for (const write of writes) {
      const next = carryOut(write, state, seen);
      if (next === null) return { state, written, refused: write, violations };
      violations.push(...checkWrite(write, state, seen));
      written.push(write);
      this.#coverage.write(write);
      state = next;
      if (write.kind === 'WriteRoute') violations.push(...checkState(state));
    }
    return { state, written, refused: null, violations };
  }

  /** The clock goes on to the next moment that the operator waits for. */
  #tick(state: State, plan: Plan | null): Transition[] {
    if (plan === null || plan.lookAgainAt === null || plan.lookAgainAt <= T0) return [];
    const ms = plan.lookAgainAt - T0;
    const lines = () => [`${ms / 1000} s pass`];
    return [{ cause: 'Time', lines, next: canonical(pass(state, ms)), violations: [] }];
  }

  /** Time passes over what should have happened; not over traffic that follows an accepted route: the settle time is there for that. */
  #slow(state: State, quiet: boolean): Transition[] {
    if (state.left.slow === 0 || quiet || moves(state).length > 0) return [];
    const left = { ...state.left, slow: state.left.slow - 1 };
    return [SETTLE_MS, PROGRESS_DEADLINE_MS].map((ms) => ({
      cause: 'Fault',
      lines: () => [`${ms / 1000} s pass in which nobody does anything`],
      next: canonical({ ...pass(state, ms), left }),
      violations: [],
    }));
  }

  /** Killed after each write of the plan; it starts again from what is there. */
  #crashes(state: State, writes: readonly Write[]): Transition[] {
    if (state.left.crash === 0) return [];
    const left = { ...state.left, crash: state.left.crash - 1 };
    return writes.slice(0, -1).map((_write, index) => {
      const run = this.#run(writes.slice(0, index + 1), state, state);
      return operatorMoves('Fault', 'the operator is killed after', { ...run, state: { ...run.state, left } });
    });
  }

  /** Something happens between two writes, or between the look and the first. */
  #overlaps(state: State, writes: readonly Write[], changes: readonly Step[]): Transition[] {
    return writes.flatMap((write, index) => {
      if (!isVisible(write)) return [];
      const begun = this.#run(writes.slice(0, index), state, state);
      if (begun.refused !== null) return [];
      const steps = index === 0 ? changes : [...urgentSteps(begun.state), ...leave(begun.state), ...deeds(begun.state)];
      return steps.map((step) => {
        const removed = checkRemoved(step.removed ?? [], begun.state);
        const rest = this.#run(writes.slice(index), step.next, state);
        return {
          cause: 'Overlap',
          lines: () => [
            ...runLines('the operator begins to write', begun),
            `meanwhile ${step.label}`,
            ...runLines('the operator goes on', rest),
          ],
          next: canonical(rest.state),
          violations: [...begun.violations, ...removed, ...rest.violations],
        } as const;
      });
    });
  }

  /** One plan is made without having heard of the last change: of all of it, or of what one watch tells. */
  #stale(state: State, operator: Run | null, changes: readonly Step[]): Transition[] {
    if (state.left.stale === 0 || state.subject === null) return [];
    const left = { ...state.left, stale: state.left.stale - 1 };
    const own =
      operator === null ? [] : [{ label: runLines('the operator writes', operator).join('; '), next: operator.state }];
    return [...own, ...changes].flatMap((step) => {
      const now = step.next;
      if (now.subject === null) return [];
      const changed = WATCHED.filter((part) => state[part] !== now[part]);
      const views = [...(changed.length > 1 ? changed.map((part) => [part]) : []), changed];
      const early = checkRemoved(('removed' in step ? step.removed : undefined) ?? [], state);
      return views.flatMap((parts): Transition[] => {
        const seen = parts.length === 0 ? now : outdated(now, state, parts);
        const { writes } = this.look(seen);
        if (writes.length === 0) return [];
        const run = this.#run(writes, { ...now, left: { ...left, people: now.left.people } }, seen);
        return [
          {
            cause: 'Fault',
            lines: () => [
              step.label,
              ...runLines(`the operator, which has not heard of the ${parts.join(', ')}, writes`, run),
            ],
            next: canonical(run.state),
            violations: [...early, ...run.violations],
          },
        ];
      });
    });
  }
}

const outdated = (now: State, before: State, parts: readonly Watched[]): State => ({
  ...now,
  ...Object.fromEntries(parts.map((part) => [part, before[part]])),
});

const happens = (cause: Cause, state: State, { label, next, removed = [] }: Step): Transition => ({
  cause,
  lines: () => [label],
  next: canonical(next),
  violations: checkRemoved(removed, state),
});

const operatorMoves = (cause: Cause, head: string, run: Run): Transition => ({
  cause,
  lines: () => runLines(head, run),
  next: canonical(run.state),
  violations: run.violations,
});

function runLines(head: string, { written, refused }: Run): string[] {
  const lines = written.map((write) => `  ${writeLine(write)}`);
  return [
    ...(lines.length === 0 && refused === null ? [] : [`${head}:`]),
    ...lines,
    ...(refused === null ? [] : [`  refused, it had changed: ${writeLine(refused)}`]),
  ];
}

/** A write as one line, for people. */
export function writeLine(write: Write): string {
  switch (write.kind) {
    case 'Apply':
      return `apply ${write.object.kind} ${write.object.metadata.name}`;
    case 'PatchWorkload':
      return `${write.name} to ${write.replicas} pods${write.drain === null ? '' : ', draining'}`;
    case 'WriteRoute':
      return `route of ${write.intent.component} to ${write.intent.backends.map(({ revision, weight }) => `${revision}:${weight}`).join(' ')}`;
    case 'MarkPod':
      return `mark pod ${write.pod.name}${write.drain.released === true ? ' as released' : ''}`;
    case 'DrainPod':
      return `tell pod ${write.pod.name} to drain`;
    case 'Delete':
      return `delete ${write.ref.kind} ${write.ref.name}`;
    case 'Status': {
      const { phase, stableRevision, updateRevision, step, weight, blockedBy = [] } = write.status;
      const waits = blockedBy.map(({ reason }) => reason).join(', ');
      return `status ${phase ?? '-'}, ${stableRevision?.hash ?? '-'} > ${updateRevision?.hash ?? '-'}, step ${step?.index ?? '-'}, weight ${weight?.requested ?? '-'}/${weight?.routed ?? '-'}${waits === '' ? '' : `, waits: ${waits}`}`;
    }
    case 'Metadata':
      return `metadata ${JSON.stringify(write.annotations ?? write.finalizers)}`;
    case 'CreateAdminSecret':
      return 'create the admin Secret';
    case 'CopyReference':
      return `copy ${write.reference} for ${write.revision}`;
  }
}
