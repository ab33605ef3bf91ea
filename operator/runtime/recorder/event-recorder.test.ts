import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { WriteOptions } from '../client/api.ts';
import { ApiError, TransportError } from '../client/errors.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { runtimeMetrics } from '../metrics/metrics.ts';
import type { Event } from '../objects/builtin.ts';
import { events } from '../objects/builtin.ts';
import type { KubeObject } from '../objects/objects.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { cutToBytes, EventRecorder } from './event-recorder.ts';

const thing = (name = 'x'): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { namespace: 'ns', name, uid: `uid-${name}` },
});

const setUp = () => {
  const clock = new ManualClock();
  const api = new MemoryApi();
  const registry = new Registry();
  const metrics = runtimeMetrics(registry).events;
  const recorder = new EventRecorder({
    api,
    clock,
    metrics,
    random: () => 0,
    reportingController: 'example.com/operator',
    reportingInstance: 'pod-1',
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  const all = async (): Promise<Event[]> => (await api.list(events)).items;
  const counts = async () => {
    const { values } = (await registry.getSingleMetric('event_recorder_events_total')?.get()) ?? { values: [] };
    return values.map(({ labels, value }) => `${labels['outcome']} ${value}`);
  };
  const outcome = async (name: string) =>
    Number((await counts()).find((each) => each.startsWith(`${name} `))?.split(' ')[1] ?? 0);
  const finish = async () => {
    stop.abort();
    await running;
  };
  return { clock, api, recorder, all, counts, outcome, finish };
};

const weightSet = { reason: 'WeightSet', action: 'SetWeight', note: 'canary at 10 %' };

describe('EventRecorder', () => {
  it('writes an event with all that events.k8s.io/v1 asks for', async () => {
    const { clock, recorder, all, finish } = setUp();
    recorder.record(thing(), { ...weightSet, type: 'Warning', related: thing('y') });
    await clock.advance(0);
    const [event] = await all();
    expect(event).toMatchObject({
      type: 'Warning',
      ...weightSet,
      reportingController: 'example.com/operator',
      reportingInstance: 'pod-1',
      regarding: { apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'ns', name: 'x', uid: 'uid-x' },
      related: { name: 'y' },
      eventTime: '2026-01-01T00:00:00.000000Z',
    });
    expect(event?.metadata.name).toMatch(/^x\.[0-9a-f]{16}$/);
    expect(event?.series).toBeUndefined();
    await finish();
  });

  it('makes a series of what repeats: the second at once, the rest gathered', async () => {
    const { clock, recorder, all, finish } = setUp();
    recorder.record(thing(), weightSet);
    await clock.advance(1_000);
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    expect((await all()).map(({ series }) => series?.count)).toEqual([2]);
    for (let round = 0; round < 10; round++) {
      recorder.record(thing(), weightSet);
      await clock.advance(1_000);
    }
    expect((await all()).map(({ series }) => series?.count)).toEqual([2]);
    await clock.advance(30_000);
    const [event] = await all();
    expect(event?.series).toEqual({ count: 12, lastObservedTime: '2026-01-01T00:00:10.000000Z' });
    await finish();
  });

  it('another note, another object or a long silence begins another event', async () => {
    const { clock, recorder, all, finish } = setUp();
    recorder.record(thing(), weightSet);
    recorder.record(thing(), { ...weightSet, note: 'canary at 50 %' });
    recorder.record(thing('other'), weightSet);
    await clock.advance(361_000);
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    expect((await all()).map(({ note, series }) => [note, series])).toEqual([
      ['canary at 10 %', undefined],
      ['canary at 50 %', undefined],
      ['canary at 10 %', undefined],
      ['canary at 10 %', undefined],
    ]);
    await finish();
  });

  it('begins anew with the count so far when the event has expired', async () => {
    const { clock, api, recorder, all, finish } = setUp();
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    const [first] = await all();
    await api.delete(events, first!.metadata);
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    const [second] = await all();
    expect(second?.metadata.name).not.toBe(first?.metadata.name);
    expect(second?.metadata.name).toMatch(/^x\.[0-9a-f]{16}$/);
    expect(second?.series?.count).toBe(2);
    await finish();
  });

  it('tries again when the API server is away, and gives up in the end; recording never fails', async () => {
    const { clock, api, recorder, all, outcome, finish } = setUp();
    let down = true;
    api.intercept = (verb) => {
      if (verb === 'create' && down) throw new TransportError('create', 'Connection', 'down');
    };
    recorder.record(thing(), weightSet);
    await clock.advance(1_000);
    down = false;
    await clock.advance(10_000);
    expect(await all()).toHaveLength(1);
    down = true;
    recorder.record(thing('other'), weightSet);
    await clock.advance(600_000);
    expect([await all(), await outcome('failed')]).toMatchObject([[{}], 1]);
    await finish();
  });

  it('goes on with an event that was stored although the answer was lost', async () => {
    const { clock, api, recorder, all, outcome, finish } = setUp();
    const create = api.create.bind(api);
    api.create = async (type, object) => {
      api.create = create;
      await create(type, object);
      throw new TransportError('create', 'Timeout', 'no answer');
    };
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    recorder.record(thing(), weightSet);
    await clock.advance(1_000);
    expect((await all()).map(({ series }) => series?.count)).toEqual([2]);
    expect([await outcome('created'), await outcome('failed')]).toEqual([1, 0]);
    await finish();
  });

  it('counts every outcome from the start, so that the first one is an increase', async () => {
    const { counts, finish } = setUp();
    expect(await counts()).toEqual(['created 0', 'series 0', 'dropped 0', 'failed 0']);
    await finish();
  });

  it('does not repeat what the server refuses', async () => {
    const { clock, api, recorder, outcome, finish } = setUp();
    let tries = 0;
    api.intercept = (verb) => {
      if (verb !== 'create') return;
      tries += 1;
      throw new ApiError('create', 403, { reason: 'Forbidden', message: 'no' });
    };
    recorder.record(thing(), weightSet);
    await clock.advance(60_000);
    expect([tries, await outcome('failed')]).toEqual([1, 1]);
    await finish();
  });

  it('limits what one object may cause, and leaves the others alone', async () => {
    const { clock, recorder, all, outcome, finish } = setUp();
    for (let round = 0; round < 80; round++) recorder.record(thing('noisy'), { ...weightSet, note: `round ${round}` });
    recorder.record(thing('quiet'), weightSet);
    await clock.advance(0);
    expect([(await all()).length, await outcome('dropped')]).toEqual([51, 30]);
    await finish();
  });

  it('sends on stop what is still gathered', async () => {
    const { clock, recorder, all, finish } = setUp();
    for (let round = 0; round < 5; round++) {
      recorder.record(thing(), weightSet);
      await clock.advance(1);
    }
    expect((await all())[0]?.series?.count).toBe(2);
    recorder.record(thing('late'), weightSet);
    await finish();
    expect((await all()).map(({ series }) => series?.count)).toEqual([5, undefined]);
  });

  it('a write that hangs holds a stop up for 3 s, not for as long as its time-out', async () => {
    const { clock, api, recorder, finish } = setUp();
    api.create = (_type, _object, { signal }: WriteOptions = {}) =>
      new Promise((_resolve, reject) => {
        const fail = () => reject(new TransportError('create', 'Aborted', 'aborted'));
        if (signal?.aborted) fail();
        signal?.addEventListener('abort', fail);
      });
    recorder.record(thing(), weightSet);
    await clock.advance(0);
    let finished = false;
    void finish().then(() => (finished = true));
    await clock.advance(2_999);
    expect(finished).toBe(false);
    await clock.advance(1);
    expect([finished, clock.timers]).toEqual([true, 0]);
  });

  it('cuts long notes at a character, within the bytes that the API takes', () => {
    const text = 'ä'.repeat(600);
    const cut = cutToBytes(text, 1024);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
    expect(cut).toBe(`${'ä'.repeat(510)}…`);
    expect(cutToBytes('short', 1024)).toBe('short');
  });
});
