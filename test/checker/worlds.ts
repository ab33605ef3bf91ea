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

const CALM: Budget = { crash: 0, stale: 0, death: 0, slow: 0, answers: 0, people: [] };

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

const world = (
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
        .map(([name, count]) => `${name} ${String(count)}`)
        .join(', ')})`;

export const WORLDS: readonly World[] = [
  world('canary', ['release 1.1.0', 'promote step'], { crash: 1, stale: 1 }),
  world('canary', ['release 1.1.0', 'promote step'], { death: 1 }),
  world('canary', ['release 1.1.0', 'promote step'], { slow: 1 }),
  world('canary', ['release 1.1.0', 'promote step', 'abort'], {}),
  world('canary', ['release 1.1.0', 'promote full', 'delete'], {}),
  world('canary', [], { crash: 1, stale: 1 }, 'Empty'),
  world('blue-green', ['release 1.1.0', 'promote step'], { crash: 1, stale: 1 }),
  world('canary', ['release 1.1.0', 'three pods each'], {}),
];
