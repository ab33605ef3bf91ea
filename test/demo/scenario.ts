// The three releases of the demonstration: a canary, a blue-green, and a canary with a bug that a person calls back.
import type { AssistantDeployment } from '@assistant-platform/api';
import { type Releases, settled } from './releases.ts';
import type { ReleaseLine } from './report.ts';
import { RolloutWatch } from './rollout-watch.ts';
import type { RequestCounts, WeightSample } from './statistics.ts';

/** What the scenario needs from the run around it. */
export interface Stage {
  readonly releases: Releases;
  readonly requests: () => RequestCounts;
  /** Says that the errors of this revision are known. */
  readonly expectBug: (revision: string) => void;
  readonly print: (line: string) => void;
  /** Makes each run a release of its own, even of the same images. */
  readonly run: string;
}

/** What the scenario found. */
export interface ScenarioResult {
  readonly releases: readonly ReleaseLine[];
  readonly weights: readonly WeightSample[];
}

const releaseTimeoutMs = 6 * 60_000;
/** Errors of the broken release that a person sees before calling it back. */
const errorsUntilAbort = 5;

const canary = (steps: readonly object[]) => ({
  strategy: { type: 'Canary', canary: { steps }, blueGreen: null, drain: { deadline: '60s', closePerSecond: 50 } },
});
const gradual = [
  { setWeight: 10 },
  { pause: { duration: '15s' } },
  { setWeight: 50 },
  { pause: { duration: '15s' } },
  { setWeight: 100 },
];

/** Runs the three releases, one after the other. */
export async function playScenario(stage: Stage): Promise<ScenarioResult> {
  const lines: ReleaseLine[] = [];
  const weights: WeightSample[] = [];
  const keep = (line: ReleaseLine, samples: readonly WeightSample[]) => {
    lines.push(line);
    weights.push(...samples);
  };

  await promoted(stage, '1.1.0', 'Canary', canary(gradual), keep);
  const blueGreen = { type: 'BlueGreen', canary: null, blueGreen: { autoPromote: true, autoPromoteAfter: '10s' } };
  await promoted(
    stage,
    '1.2.0',
    'BlueGreen',
    { strategy: { ...blueGreen, drain: { deadline: '60s', closePerSecond: 50 } } },
    keep,
  );
  await calledBack(stage, keep);
  return { releases: lines, weights };
}

type Keep = (line: ReleaseLine, samples: readonly WeightSample[]) => void;

/** A release that goes to its end by itself. */
async function promoted(stage: Stage, release: string, strategy: string, change: object, keep: Keep): Promise<void> {
  const started = Date.now();
  const watch = new RolloutWatch(release, () => stage.requests().byRevision, stage.print);
  const edited = await stage.releases.edit({ ...change, ...(await components(stage, release, release)) });
  const end = await stage.releases.until(settled(edited), {
    timeoutMs: releaseTimeoutMs,
    what: `release ${release}`,
    onLook: (object) => watch.look(object),
  });
  const outcome =
    end.status?.stableRevision?.release === release
      ? 'promoted'
      : `unexpected: stable is ${end.status?.stableRevision?.release}`;
  keep({ release, strategy, outcome, seconds: (Date.now() - started) / 1000 }, watch.end());
}

/** Release 1.3.0 answers errors; a person sees a few, aborts, and goes back to the spec of the stable release. */
async function calledBack(stage: Stage, keep: Keep): Promise<void> {
  const release = '1.3.0';
  const started = Date.now();
  const before = await stage.releases.read();
  const watch = new RolloutWatch(release, () => stage.requests().byRevision, stage.print);
  const look = { timeoutMs: releaseTimeoutMs, onLook: (object: AssistantDeployment) => watch.look(object) };
  await stage.releases.edit({
    ...canary([{ setWeight: 10 }, { pause: {} }, { setWeight: 100 }]),
    // Realtime has no bug of its own; its image of the stable release goes along in lockstep.
    ...(await components(stage, release, release, { realtime: '1.2.0' })),
  });
  const stable = before.status?.stableRevision?.hash;
  await stage.releases.until(
    ({ status }) => {
      const update = status?.updateRevision?.hash;
      if (update !== undefined && update !== stable) stage.expectBug(update);
      return stage.requests().knownBug >= errorsUntilAbort;
    },
    { ...look, what: 'errors of release 1.3.0' },
  );
  stage.print(`a person sees ${stage.requests().knownBug} errors of 1.3.0 and aborts`);
  const aborted = Date.now();
  await stage.releases.verb('abort', 'one answer in ten is an error 500');
  const end = await stage.releases.until(({ status }) => status?.abort !== undefined && status.weight?.routed === 0, {
    ...look,
    what: 'abort of release 1.3.0',
  });
  const by = end.status?.abort?.by ?? 'nobody';
  stage.print(
    `all traffic is back on ${before.status?.stableRevision?.release} after ${((Date.now() - aborted) / 1000).toFixed(1)} s`,
  );
  const { strategy } = before.spec;
  const restored = await stage.releases.edit({
    ...before.spec,
    strategy: { ...strategy, canary: strategy.canary ?? null, blueGreen: strategy.blueGreen ?? null },
  });
  await stage.releases.until(settled(restored), { ...look, what: 'going back to the stable spec' });
  const outcome = by === 'User' ? 'aborted by a person' : `unexpected: aborted by ${by}`;
  keep({ release, strategy: 'Canary', outcome, seconds: (Date.now() - started) / 1000 }, watch.end());
}

/** The spec change of a release: the tags of the images, the label, and the name of the run. */
async function components(
  { releases, run }: Stage,
  release: string,
  tag: string,
  other: Readonly<Record<string, string>> = {},
): Promise<object> {
  const { spec } = await releases.read();
  const retagged = Object.entries(spec.components).map(([name, component]) => [
    name,
    { image: component.image.replace(/:[^:/]+$/, `:${other[name] ?? tag}`), env: [{ name: 'DEMO_RUN', value: run }] },
  ]);
  return { release, components: Object.fromEntries(retagged) as object };
}
