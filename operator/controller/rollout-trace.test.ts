import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@assistant-platform/runtime';
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canary, sampleRelease, withVersion } from '../rollout/releases.ts';
import type { Status } from '../rollout/state.ts';
import { World } from '../rollout/world.ts';
import { WorldRun } from '../rollout/worldRun.ts';
import { startTelemetry } from '../telemetry.ts';
import { emit, type Ended, endedBetween, rootIds, traceIdsOf } from './rollout-trace.ts';

const STEPS = canary([{ setWeight: 10 }, { pause: { duration: '3s' } }, { setWeight: 50 }]);

/** What ends in a run of the model world, status by status. */
function spansOf(after: (run: WorldRun) => void): Ended[] {
  const world = new World(sampleRelease('1.0.0', STEPS));
  const run = new WorldRun(world);
  run.run(8000);
  const ended: Ended[] = [];
  let before: Status = structuredClone(world.status);
  const write = world.write.bind(world);
  world.write = (one, snapshot) => {
    write(one, snapshot);
    if (one.kind !== 'Status') return;
    ended.push(...endedBetween(before, one.status, world.release.strategy, world.now));
    before = one.status;
  };
  world.edit((release) => withVersion(release, '1.1.0'));
  after(run);
  return ended;
}

describe('the spans of a rollout', () => {
  it('are its steps, end to end, and the rollout around them', () => {
    const ended = spansOf((run) => run.run(30_000));
    const spans = ended.flatMap(({ spans: each }) => each);
    expect(spans.map(({ kind, name }) => `${kind}: ${name}`)).toEqual([
      'Step: weight 10 %',
      'Step: pause of 3 s',
      'Step: weight 50 %',
      'Step: all traffic',
      'Rollout: rollout 1.1.0',
    ]);
    const [first, second, third, fourth, all] = spans;
    expect([second?.start, third?.start, fourth?.start]).toEqual([first?.end, second?.end, third?.end]);
    expect([all?.start, all?.end]).toEqual([first?.start, fourth?.end]);
    expect(all).toMatchObject({ attributes: { 'assistant.outcome': 'Promoted' }, failure: null });
    expect(new Set(ended.map(({ hash, startedAt }) => `${hash} ${startedAt}`)).size).toBe(1);
  });

  it('of an aborted one say why, on the step and on the whole', () => {
    const ended = spansOf((run) => {
      run.run(4000);
      run.world.annotate({ 'assistant-platform.io/abort': 'too slow' });
      run.run(10_000);
    });
    const spans = ended.flatMap(({ spans: each }) => each);
    expect(spans.slice(-2)).toMatchObject([
      { kind: 'Step', name: 'pause of 3 s', failure: 'too slow' },
      { kind: 'Rollout', attributes: { 'assistant.outcome': 'Aborted' }, failure: 'too slow' },
    ]);
  });
});

describe('every span ends once', () => {
  const named = (ended: readonly Ended[]): string[] =>
    ended.flatMap(({ spans }) => spans.map(({ kind, name, failure }) => `${kind}: ${name}: ${failure ?? 'well'}`));
  const ABORTED = ['Step: weight 10 %: well', 'Step: pause of 3 s: too slow', 'Rollout: rollout 1.1.0: too slow'];
  const abort = (run: WorldRun): void => {
    run.run(4000);
    run.world.annotate({ 'assistant-platform.io/abort': 'too slow' });
    run.run(10_000);
  };

  it.each<[string, (run: WorldRun) => void]>([
    ['tried again', ({ world }) => world.annotate({ 'assistant-platform.io/retry': '' })],
    ['followed by another release', ({ world }) => world.edit((release) => withVersion(release, '1.2.0'))],
    ['taken back', ({ world }) => world.edit((release) => withVersion(release, '1.0.0'))],
  ])('also of a rollout that was aborted and is then %s', (_what, then) => {
    const ended = spansOf((run) => {
      abort(run);
      then(run);
      run.run(60_000);
    });
    const [begin] = ended;
    expect(named(ended.filter(({ startedAt }) => startedAt === begin?.startedAt))).toEqual(ABORTED);
  });

  it.each<[string, (run: WorldRun) => void, string[]]>([
    [
      'whose steps are edited at its first one',
      ({ world }) => {
        const { strategy } = sampleRelease('any', canary([{ setWeight: 20 }]));
        world.edit((release) => ({ ...release, strategy }));
      },
      [
        'Step: step 1 before the steps were edited: well',
        'Step: weight 20 %: well',
        'Step: all traffic: well',
        'Rollout: rollout 1.1.0: well',
      ],
    ],
    [
      'that is deleted with its AssistantDeployment',
      ({ world }) => world.delete(),
      ['Step: weight 10 %: Deleted', 'Rollout: rollout 1.1.0: Deleted'],
    ],
  ])('also of a rollout %s', (_what, then, spans) => {
    const ended = spansOf((run) => {
      run.run(100);
      then(run);
      run.run(60_000);
    });
    expect(named(ended)).toEqual(spans);
  });

  it('none before it has begun, by whatever clocks', () => {
    const [stable, update] = [
      { hash: 'aaaa', release: '1.0.0' },
      { hash: 'bbbb', release: '1.1.0', startedAt: '2026-01-01T00:00:05.000Z' },
    ];
    const { strategy } = sampleRelease('any', STEPS);
    const before: Status = { stableRevision: stable, updateRevision: update };
    const end = { outcome: 'Promoted', finishedAt: '2026-01-01T00:00:03.000Z' } as const;
    const [ended] = endedBetween(before, { stableRevision: update, history: [{ ...update, ...end }] }, strategy, 0);
    expect(ended?.spans).toMatchObject([{ start: Date.parse(update.startedAt), end: Date.parse(update.startedAt) }]);
  });

  it('where the release that takes the place of another one is aborted before it has begun', () => {
    const ended = spansOf((run) => {
      run.run(4000);
      run.world.annotate({ 'assistant-platform.io/abort': 'the wrong one' });
      run.world.edit((release) => withVersion(release, '1.2.0'));
      run.run(60_000);
    });
    expect(named(ended)).toEqual([
      'Step: weight 10 %: well',
      'Step: pause of 3 s: Superseded',
      'Rollout: rollout 1.1.0: Superseded',
      'Rollout: rollout 1.2.0: the wrong one',
    ]);
  });
});

describe('sent to a collector', () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(`${request.url ?? ''} ${body}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  beforeAll(() => new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => collector.close(resolve)));

  it('[R-257] they are one trace, the steps below the rollout, whichever operator sent them', async () => {
    const end = startTelemetry(`http://127.0.0.1:${(collector.address() as AddressInfo).port}`, silentLogger);
    const subject = { uid: 'uid-1', namespace: 'assistants', name: 'support' };
    for (const ended of spansOf((run) => run.run(30_000))) emit(trace.getTracer('test'), rootIds, subject, ended);
    await end();
    const [ended] = spansOf((run) => run.run(30_000));
    const ids = traceIdsOf('uid-1', ended!.hash, ended!.startedAt);
    interface Sent {
      readonly traceId: string;
      readonly spanId: string;
      readonly parentSpanId?: string;
      readonly name: string;
    }
    interface Export {
      readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Sent[] }[] }[];
    }
    const spans = bodies
      .map((line) => JSON.parse(line.replace('/v1/traces ', '')) as Export)
      .flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
      );
    expect(spans).toHaveLength(5);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([ids.traceId]));
    const root = spans.find(({ name }) => name === 'rollout 1.1.0');
    expect([root?.spanId, root?.parentSpanId ?? '']).toEqual([ids.spanId, '']);
    for (const span of spans.filter((each) => each !== root)) expect(span.parentSpanId).toBe(ids.spanId);
  });
});
