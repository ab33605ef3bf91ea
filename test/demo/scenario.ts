// Releases one after the other, as people make them: canaries and blue-greens that go to their end, and releases with a bug that are called back, by a
// person who sees the errors or by the metric that stands guard.
import type { AssistantDeployment } from '@assistant-platform/api';
import { type Releases, settled } from './releases.ts';
import type { ReleaseLine, Traffic } from './report.ts';
import { RolloutWatch } from './rollout-watch.ts';
import type { RequestCounts, WeightSample } from './statistics.ts';

/** One release. */
export interface Turn {
  readonly strategy: 'Canary' | 'BlueGreen';
  /** `Promoted`: of an image without fault. The others are of the one whose chat answers every tenth message with 500. */
  readonly end: 'Promoted' | 'AbortedByPerson' | 'AbortedByMetric';
  /** The image's tag. The broken one has its own. */
  readonly image?: '1.1.0' | '1.2.0';
}

/** The demonstration: a canary, a blue-green, and a canary with a bug that a person calls back. */
export const DEMONSTRATION: readonly Turn[] = [
  { strategy: 'Canary', end: 'Promoted', image: '1.1.0' },
  { strategy: 'BlueGreen', end: 'Promoted', image: '1.2.0' },
  { strategy: 'Canary', end: 'AbortedByPerson' },
];

/** What the releases need from the run around them. */
export interface Stage {
  readonly releases: Releases;
  readonly requests: () => RequestCounts;
  /** All traffic so far. */
  readonly traffic: () => Traffic;
  /** Says that the errors of this revision are known. */
  readonly expectBug: (revision: string) => void;
  readonly print: (line: string) => void;
  /** Makes each run's releases its own, even of the same images. */
  readonly run: string;
}

/** What the releases came to. */
export interface ScenarioResult {
  readonly releases: readonly ReleaseLine[];
  readonly weights: readonly WeightSample[];
}

const TIMEOUT_MS = 6 * 60_000;
const BROKEN = '1.3.0';
/** Errors of the broken release that a person sees before calling it back. */
const ERRORS_UNTIL_ABORT = 5;
const DRAIN = { deadline: '60s', closePerSecond: 50 };

type Spec = AssistantDeployment['spec'];
type Steps = NonNullable<Spec['strategy']['canary']>['steps'];

const canary = (steps: Steps) => ({ strategy: { type: 'Canary', canary: { steps }, drain: DRAIN } }) as const;
const blueGreen = (how: NonNullable<Spec['strategy']['blueGreen']>) =>
  ({ strategy: { type: 'BlueGreen', blueGreen: how, drain: DRAIN } }) as const;

const ERRORS = 'errors';
const guard = { metrics: [ERRORS], duration: '2m', interval: '5s' };
const guarded: Pick<Spec, 'metrics'> = {
  metrics: [{ name: ERRORS, preset: 'ErrorRate', max: '0.02', minSamples: 40, failureLimit: 0 }],
};

/** The change of spec that each kind of release is made with. */
const STRATEGIES: Readonly<Record<Turn['strategy'], Readonly<Record<Turn['end'], Partial<Spec>>>>> = {
  Canary: {
    Promoted: canary([
      { setWeight: 10 },
      { pause: { duration: '15s' } },
      { setWeight: 50 },
      { pause: { duration: '15s' } },
      { setWeight: 100 },
    ]),
    AbortedByPerson: canary([{ setWeight: 10 }, { pause: {} }, { setWeight: 100 }]),
    AbortedByMetric: { ...canary([{ setWeight: 30 }, { analysis: guard }, { setWeight: 100 }]), ...guarded },
  },
  BlueGreen: {
    Promoted: blueGreen({ autoPromote: true, autoPromoteAfter: '10s' }),
    AbortedByPerson: blueGreen({ autoPromote: false }),
    AbortedByMetric: {
      ...blueGreen({ autoPromote: true, autoPromoteAfter: '2s', postPromotion: guard, scaleDownDelay: '5m' }),
      ...guarded,
    },
  },
};

/** Plays the releases, one after the other. */
export async function playReleases(turns: readonly Turn[], stage: Stage): Promise<ScenarioResult> {
  const lines: ReleaseLine[] = [];
  const weights: WeightSample[] = [];
  for (const [index, turn] of turns.entries()) {
    const release = tagOf(turn);
    // People tell releases by their number where a tag comes again.
    const again = turns.filter((each) => tagOf(each) === release).length > 1;
    const name = again ? `${release}-${index + 1}` : release;
    const watch = new RolloutWatch(name, () => stage.requests().byRevision, stage.print);
    const before = { at: Date.now(), ...stage.traffic() };
    const how = { stage, turn, name, tag: release, watch, number: index + 1 };
    const outcome = turn.end === 'Promoted' ? await promoted(how) : await calledBack(how);
    const now = stage.traffic();
    const traffic: Traffic = {
      requests: now.requests - before.requests,
      failures: now.failures - before.failures,
      acknowledged: now.acknowledged - before.acknowledged,
      moved: now.moved - before.moved,
    };
    lines.push({
      release: name,
      strategy: turn.strategy,
      outcome,
      seconds: (Date.now() - before.at) / 1000,
      traffic,
    });
    weights.push(...watch.end());
  }
  return { releases: lines, weights };
}

const tagOf = ({ end, image = '1.1.0' }: Turn): string => (end === 'Promoted' ? image : BROKEN);

interface Play {
  readonly stage: Stage;
  readonly turn: Turn;
  readonly name: string;
  readonly tag: string;
  readonly number: number;
  readonly watch: RolloutWatch;
}

/** A release that goes to its end by itself. */
async function promoted({ stage, turn, name, tag, number, watch }: Play): Promise<string> {
  const { releases } = stage;
  const { spec } = await releases.read();
  const components = retagged(spec, { chat: tag, realtime: tag }, `${stage.run}-${number}`);
  const edited = await releases.replace({
    ...spec,
    release: name,
    ...STRATEGIES[turn.strategy].Promoted,
    components,
  });
  const end = await releases.until(settled(edited), {
    timeoutMs: TIMEOUT_MS,
    what: `release ${name}`,
    onLook: (object) => watch.look(object),
  });
  const stable = end.status?.stableRevision?.release;
  return stable === name ? 'promoted' : `unexpected: stable is ${stable}`;
}

/** The broken release: it answers errors, is called back, and the spec goes back to that of the stable release. */
async function calledBack({ stage, turn, name, tag, number, watch }: Play): Promise<string> {
  const { releases } = stage;
  const before = await releases.read();
  const stable = before.status?.stableRevision;
  const look = { timeoutMs: TIMEOUT_MS, onLook: (object: AssistantDeployment) => watch.look(object) };
  const errors = stage.requests().knownBug;
  const expectBug = ({ status }: AssistantDeployment): void => {
    const update = status?.updateRevision?.hash;
    if (update !== undefined && update !== stable?.hash) stage.expectBug(update);
  };
  // Realtime has no bug of its own; its image of the stable release goes along in lockstep.
  const components = retagged(before.spec, { chat: tag }, `${stage.run}-${number}`);
  await releases.replace({ ...before.spec, release: name, ...STRATEGIES[turn.strategy][turn.end], components });
  if (turn.end === 'AbortedByPerson') {
    await releases.until(
      (object) => {
        expectBug(object);
        // Nobody is sent to a preview: whoever looks at it there sees at once that it is broken.
        if (turn.strategy === 'BlueGreen') return object.status?.phase === 'Paused';
        return stage.requests().knownBug - errors >= ERRORS_UNTIL_ABORT;
      },
      { ...look, what: `the bug of release ${name}` },
    );
    stage.print(`a person sees ${stage.requests().knownBug - errors} errors of ${name} and aborts`);
    await releases.verb('abort', 'one answer in ten is an error 500');
  }
  let abortedAt = 0;
  const end = await releases.until(
    (object) => {
      expectBug(object);
      if (object.status?.abort === undefined) return false;
      abortedAt ||= Date.parse(object.status.abort.at);
      return object.status.weight?.routed === 0;
    },
    { ...look, what: `abort of release ${name}` },
  );
  const away = ((Date.now() - abortedAt) / 1000).toFixed(1);
  stage.print(`all traffic is back on ${stable?.release} after ${away} s: ${end.status?.abort?.reason ?? ''}`);
  const restored = await releases.replace(before.spec);
  await releases.until(settled(restored), { ...look, what: 'going back to the stable spec' });
  const by = end.status?.abort?.by ?? 'nobody';
  const expected = turn.end === 'AbortedByPerson' ? 'User' : 'Metric';
  if (by !== expected) return `unexpected: aborted by ${by}`;
  return by === 'User' ? 'aborted by a person' : 'aborted by its metric';
}

/** The components with other tags of their images, and an environment that makes this release one of its own. */
function retagged(spec: Spec, tags: Readonly<Record<string, string>>, run: string): Spec['components'] {
  const components = Object.entries(spec.components).map(([name, component]): [string, typeof component] => {
    const tag = tags[name];
    const image = tag === undefined ? component.image : component.image.replace(/:[^:/]+$/, `:${tag}`);
    return [name, { ...component, image, env: [{ name: 'DEMO_RUN', value: run }] }];
  });
  return Object.fromEntries(components);
}
