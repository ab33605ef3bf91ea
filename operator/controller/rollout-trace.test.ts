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
    ended.push(
      ...[endedBetween(before, one.status, world.release.strategy, world.now)].filter((each) => each !== null),
    );
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
