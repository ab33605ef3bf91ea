// The worlds that are visited: what may happen in each. State counts multiply with every further freedom, so it is given out in small portions.
import type { DeedName } from './model/people.ts';
import type { Spec, StrategyName } from './model/specs.ts';
import type { Budget, State } from './model/state.ts';
import type { Transitions } from './transitions.ts';

export interface World {
  readonly name: string;
  /** Nothing is there yet, or 1.0.0 is installed and at rest. */
  readonly begins: 'Empty' | 'Installed';
  readonly spec: Spec;
  readonly budget: Budget & { readonly people: readonly DeedName[] };
}

const CALM: Budget = { crash: 0, stale: 0, death: 0, slow: 0, answers: 0, slowPods: false, people: [] };

/** The state that a world begins with. */
export function startOf(world: World, transitions: Transitions): State {
  const empty: State = {
    subject: { spec: world.spec, generation: 2, annotations: {}, finalizers: [], deleting: false, status: {} },
    records: [],
    workloads: [],
    pods: [],
    services: [],
    disruptionBudgets: [],
    routes: [],
    traffic: [],
    adminSecret: false,
    copies: [],
    references: { 'ConfigMap/settings': null },
    measurements: [],
    left: CALM,
    hurt: false,
    serial: 0,
  };
  return { ...(world.begins === 'Empty' ? empty : atRest(empty, transitions)), left: world.budget };
}

/** More steps than this an installation does not take. */
const STEPS_AT_MOST = 500;

/** Where it comes to rest by itself, one way of many. */
function atRest(from: State, transitions: Transitions): State {
  let state = from;
  for (let steps = 0; steps < STEPS_AT_MOST; steps++) {
    const next = transitions.of(state).transitions.find(({ cause }) => cause !== 'Overlap');
    if (next === undefined) return state;
    state = next.next;
  }
  throw new Error(`the first installation does not come to rest within ${STEPS_AT_MOST} steps`);
}

const spec = (strategy: StrategyName): Spec => ({
  version: '1.0.0',
  strategy,
  replicas: 2,
  paused: false,
  settings: false,
});

/** A world of few deeds and faults. */
export const smallWorld = (
  strategy: StrategyName,
  people: readonly DeedName[],
  faults: Partial<Budget> = {},
  begins: World['begins'] = 'Installed',
): World => ({
  name: `${strategy}: ${[begins === 'Empty' ? 'install' : '', ...people].filter((each) => each !== '').join(', ')}${faultText(faults)}`,
  begins,
  spec: spec(strategy),
  budget: { ...CALM, ...faults, people },
});

const faultText = (faults: Partial<Budget>): string =>
  Object.keys(faults).length === 0
    ? ''
    : ` (${Object.entries(faults)
        .map(([name, count]) => (name === 'slowPods' ? 'slow pods' : `${name} ${String(count)}`))
        .join(', ')})`;

const UNLUCKY = { crash: 1, stale: 1 } as const;

/** One deed beside a release, with a kill and a stale plan. */
const SINGLES: readonly DeedName[] = [
  'promote step',
  'promote full',
  'abort',
  'back to 1.0.0',
  'pause',
  'edit the steps',
  'change the strategy',
];

/** Those that lead to many states: without a fault, and with a kill only among the large ones. */
const MANY: readonly DeedName[] = ['release 1.2.0', 'restart', 'one pod each', 'delete'];

/** Two deeds beside a release, without a fault. */
const PAIRS: readonly (readonly DeedName[])[] = [
  ['abort', 'retry'],
  ['abort', 'back to 1.0.0'],
  ['abort', 'promote full'],
  ['pause', 'resume'],
  ['pause', 'abort'],
  ['edit the steps', 'abort'],
];

/** A release that is taken back and asked for again, perhaps while it is on its way back. */
const AGAIN: readonly DeedName[] = ['release 1.1.0', 'back to 1.0.0', 'release 1.1.0 again'];

const BOTH: readonly StrategyName[] = ['canary', 'blue-green'];

/** Visited in about a quarter of an hour on one core. */
export const WORLDS: readonly World[] = [
  ...BOTH.map((strategy) => smallWorld(strategy, [], { ...UNLUCKY, slowPods: true }, 'Empty')),
  ...BOTH.map((strategy) => smallWorld(strategy, ['release 1.1.0'], {}, 'Empty')),
  ...BOTH.map((strategy) => smallWorld(strategy, ['delete'], { crash: 1 }, 'Empty')),
  ...BOTH.map((strategy) => smallWorld(strategy, ['delete'], UNLUCKY)),
  ...BOTH.flatMap((strategy) => SINGLES.map((deed) => smallWorld(strategy, ['release 1.1.0', deed], UNLUCKY))),
  smallWorld('canary', ['release 1.1.0', 'three pods each'], UNLUCKY),
  ...BOTH.flatMap((strategy) => MANY.map((deed) => smallWorld(strategy, ['release 1.1.0', deed]))),
  smallWorld('canary', AGAIN),
  ...BOTH.flatMap((strategy) => PAIRS.map((pair) => smallWorld(strategy, ['release 1.1.0', ...pair]))),
  ...BOTH.map((strategy) => smallWorld(strategy, ['release 1.1.0', 'abort'], { slowPods: true })),
  ...BOTH.map((strategy) => smallWorld(strategy, ['release 1.1.0'], { slow: 1 })),
  ...BOTH.map((strategy) => smallWorld(strategy, ['release 1.1.0'], { death: 1 })),
  ...(['9.0.1', '9.0.2', '9.0.3', '9.0.4'] as const).map((version) =>
    smallWorld('canary', [`release ${version}`], UNLUCKY),
  ),
  smallWorld('canary', ['release 9.0.1', 'back to 1.0.0']),
  smallWorld('canary', ['read the settings', 'write the settings'], UNLUCKY),
  smallWorld('canary, unsupported', ['release 1.1.0', 'promote step'], { crash: 1 }),
  smallWorld('canary, judged', ['release 1.1.0'], { answers: 2, crash: 1 }),
  smallWorld('blue-green, judged', ['release 1.1.0'], { answers: 2, crash: 1 }),
  smallWorld('blue-green, judged', ['release 1.1.0'], { answers: 2, death: 1 }),
];

/** Further ones, of hundreds of thousands of states: hours. What they have in them is also killed at every write by `npm run killpoints`. */
export const LARGE_WORLDS: readonly World[] = [
  smallWorld('blue-green', AGAIN),
  smallWorld('blue-green', ['release 1.1.0', 'three pods each'], UNLUCKY),
  ...BOTH.map((strategy) => smallWorld(strategy, ['release 1.1.0', 'promote full', 'back to 1.0.0'])),
  ...BOTH.flatMap((strategy) => MANY.map((deed) => smallWorld(strategy, ['release 1.1.0', deed], { crash: 1 }))),
];
