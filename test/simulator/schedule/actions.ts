// What a schedule is made of: what people do, what goes wrong, and how long nothing happens in between. Plain data, so that it can be printed,
// replayed and shrunk.
import type { Chance } from '../random.ts';

/** Seconds are simulated. */
export type Action =
  | { readonly do: 'wait'; readonly ms: number }
  // People
  | { readonly do: 'release'; readonly version: Version }
  | { readonly do: 'strategy'; readonly kind: StrategyKind }
  | { readonly do: 'replicas'; readonly count: number }
  | { readonly do: 'pause'; readonly on: boolean }
  | { readonly do: 'promote'; readonly how: 'step' | 'full' }
  | { readonly do: 'abort' | 'retry' | 'undo' | 'restart' | 'delete' | 'create' }
  | { readonly do: 'config'; readonly value: number }
  | { readonly do: 'components'; readonly set: ComponentSet }
  // Faults of the API server and the network
  | { readonly do: 'refuse'; readonly code: 409 | 410 | 429 | 500 | 503; readonly times: number }
  | { readonly do: 'lose'; readonly what: 'request' | 'answer'; readonly times: number }
  | { readonly do: 'slow'; readonly ms: number; readonly forMs: number }
  | { readonly do: 'stale'; readonly what: Stale; readonly ms: number; readonly forMs: number }
  | { readonly do: 'dropWatches' | 'forgetHistory' }
  | { readonly do: 'replay'; readonly events: number }
  // Faults of the operator
  | { readonly do: 'kill'; readonly when: 'Before' | 'After'; readonly writes: number; readonly skewMs: number }
  | { readonly do: 'handOver' }
  | { readonly do: 'partition'; readonly forMs: number }
  // Faults of the cluster
  | { readonly do: 'podDies' | 'podCrashes'; readonly index: number }
  | { readonly do: 'stall' | 'metricsDown' | 'metricsSilent'; readonly forMs: number }
  | { readonly do: 'stubborn'; readonly on: boolean };

export type Kind = Action['do'];
export type Version = (typeof VERSIONS)[number];
export type StrategyKind = (typeof STRATEGY_KINDS)[number];
export type ComponentSet = 'both' | 'chat' | 'withVoice';

/** 6.6.6 answers badly, 9.9.9 cannot be pulled. */
export const VERSIONS = ['1.0.0', '1.1.0', '1.2.0', '6.6.6', '9.9.9'] as const;
export const BAD: Version = '6.6.6';
export const BROKEN: Version = '9.9.9';

/** Whose news come late: all, or those of one resource, so that what the operator knows does not fit together. */
export const STALE = [
  ...([
    'all',
    'pods',
    'deployments.apps',
    'endpointslices.discovery.k8s.io',
    'controllerrevisions.apps',
    'configmaps',
  ] as const),
  ...(['httproutes.gateway.networking.k8s.io', 'assistantdeployments.assistant-platform.io'] as const),
] as const;
export type Stale = (typeof STALE)[number];

export const STRATEGY_KINDS = [
  ...(['canary', 'short', 'held', 'blueGreen', 'preview', 'analysed', 'judged', 'compared', 'matched'] as const),
] as const;

const FAULTS: ReadonlySet<Kind> = new Set([
  ...([
    'refuse',
    'lose',
    'slow',
    'stale',
    'dropWatches',
    'forgetHistory',
    'replay',
    'kill',
    'handOver',
    'partition',
  ] as const),
  ...(['podDies', 'podCrashes', 'stall', 'stubborn', 'metricsDown', 'metricsSilent'] as const),
]);

/** Whether it is something that goes wrong, not something that people do. */
export const isFault = ({ do: kind }: Action): boolean => FAULTS.has(kind);

/** How often each kind is drawn. */
const WEIGHTS: Readonly<Record<Kind, number>> = {
  ...{ wait: 30, release: 12, strategy: 4, replicas: 4, pause: 3, promote: 6, abort: 5, retry: 4, undo: 3, restart: 2 },
  ...{ delete: 0.7, create: 1, config: 2, components: 1.5 },
  ...{ refuse: 6, lose: 2.5, slow: 2, stale: 5, dropWatches: 3, forgetHistory: 2, replay: 2 },
  ...{
    kill: 6,
    handOver: 2,
    partition: 1,
    podDies: 2.5,
    podCrashes: 1.5,
    stall: 2,
    stubborn: 2,
    metricsDown: 1,
    metricsSilent: 1,
  },
};

/** Kinds that touch pods behind the operator's back excuse much: some schedules do without. */
const LOSSES: readonly Kind[] = ['podDies', 'podCrashes'];

const WAITS = [50, 200, 700, 1500, 3000, 6000, 12_000] as const;

/** Strategies that ask the metric source. */
const MEASURED = ['analysed', 'judged', 'compared', 'matched'] as const satisfies readonly StrategyKind[];

/** A schedule of 5 to 16 actions; every third begins with a release that is measured. */
export function drawSchedule(chance: Chance): Action[] {
  const weights = { ...WEIGHTS };
  if (chance.happens(0.5)) for (const kind of LOSSES) weights[kind] = 0;
  const first = chance.happens(0.33) ? measured(chance) : [];
  const actions = Array.from({ length: chance.integer(5, 16) }, () => draw(chance.weighted(weights), chance));
  return [...first, ...actions];
}

const measured = (chance: Chance): Action[] => [
  { do: 'strategy', kind: chance.pick(MEASURED) },
  { do: 'release', version: chance.pick([BAD, '1.1.0'] as const) },
  { do: 'wait', ms: chance.pick(WAITS) },
];

function draw(kind: Kind, chance: Chance): Action {
  switch (kind) {
    case 'wait':
      return { do: kind, ms: chance.pick(WAITS) };
    case 'release':
      return { do: kind, version: chance.pick(VERSIONS) };
    case 'strategy':
      return { do: kind, kind: chance.pick(STRATEGY_KINDS) };
    case 'replicas':
      return { do: kind, count: chance.integer(1, 4) };
    case 'pause':
    case 'stubborn':
      return { do: kind, on: chance.happens(0.5) };
    case 'promote':
      return { do: kind, how: chance.pick(['step', 'full'] as const) };
    case 'config':
      return { do: kind, value: chance.integer(0, 3) };
    case 'components':
      return { do: kind, set: chance.pick(['both', 'chat', 'withVoice'] as const) };
    case 'refuse':
      return { do: kind, code: chance.pick([409, 410, 429, 500, 503] as const), times: chance.integer(1, 6) };
    case 'lose':
      return { do: kind, what: chance.pick(['request', 'answer'] as const), times: chance.integer(1, 2) };
    case 'slow':
      return { do: kind, ms: chance.pick([50, 300, 1500]), forMs: chance.pick([500, 3000, 8000]) };
    case 'stale':
      return {
        do: kind,
        what: chance.pick(STALE),
        ms: chance.pick([100, 800, 3000, 12_000]),
        forMs: chance.pick([1000, 5000, 20_000]),
      };
    case 'replay':
      return { do: kind, events: chance.integer(1, 5) };
    case 'kill':
      return {
        do: kind,
        when: chance.pick(['Before', 'After'] as const),
        writes: chance.integer(0, 8),
        skewMs: chance.integer(-250, 250),
      };
    case 'partition':
      return { do: kind, forMs: chance.pick([2000, 20_000, 40_000]) };
    case 'podDies':
    case 'podCrashes':
      return { do: kind, index: chance.integer(0, 11) };
    case 'stall':
      return { do: kind, forMs: chance.pick([500, 4000, 15_000]) };
    case 'metricsDown':
    case 'metricsSilent':
      return { do: kind, forMs: chance.pick([2000, 20_000, 60_000]) };
    case 'abort':
    case 'retry':
    case 'undo':
    case 'restart':
    case 'delete':
    case 'create':
    case 'dropWatches':
    case 'forgetHistory':
    case 'handOver':
      return { do: kind };
  }
}

/** An action as a short line, for people. */
export const line = ({ do: kind, ...rest }: Action): string =>
  [kind, ...Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)].join(' ');
