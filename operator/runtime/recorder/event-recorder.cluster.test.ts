// Events on a real API server: accepted by its validation, made into series, found by the object concerned.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ApiClient } from '../client/api-client.ts';
import { configMaps, events, namespaces } from '../objects/builtin.ts';
import { clientOf, configMap, ownNamespace, until } from '../testing/real-cluster.ts';
import { EventRecorder } from './event-recorder.ts';

let client: ApiClient;
let space: Awaited<ReturnType<typeof ownNamespace>>;
let recorder: EventRecorder;
let running: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  client = await clientOf(inject('kubeconfig'));
  space = await ownNamespace(client);
  recorder = new EventRecorder({
    api: client,
    reportingController: 'example.com/tester',
    reportingInstance: 'test-1',
    seriesWriteMs: 100,
  });
  running = recorder.run(stop.signal);
});

afterAll(async () => {
  stop.abort();
  await running;
  await space[Symbol.asyncDispose]();
  client.close();
});

const eventsOn = async (namespace: string, name: string) =>
  (await client.list(events, { namespace })).items.filter(({ regarding }) => regarding?.name === name);

describe('EventRecorder on a real API server', () => {
  it('one event, then a series on the same event', async () => {
    const object = await client.create(configMaps, configMap(space.name, 'regarded'));
    const input = { reason: 'WeightSet', action: 'SetWeight', note: 'canary at 10 %' };
    recorder.record(object, input);
    await until('the event', async () => (await eventsOn(space.name, 'regarded')).length === 1);
    const [first] = await eventsOn(space.name, 'regarded');
    expect(first).toMatchObject({
      type: 'Normal',
      ...input,
      reportingController: 'example.com/tester',
      regarding: { kind: 'ConfigMap', uid: object.metadata.uid },
    });
    for (let round = 0; round < 6; round++) recorder.record(object, input);
    await until('the series', async () => (await eventsOn(space.name, 'regarded'))[0]?.series?.count === 7);
    const all = await eventsOn(space.name, 'regarded');
    expect(all.map(({ metadata }) => metadata.name)).toEqual([first?.metadata.name]);
  });

  it('everything at its limits is accepted: long notes, long names, objects without a namespace', async () => {
    const long = 'x'.repeat(253);
    const object = await client.create(configMaps, configMap(space.name, long));
    recorder.record(object, {
      type: 'Warning',
      reason: 'R'.repeat(300),
      action: 'A'.repeat(300),
      note: 'ü'.repeat(3_000),
    });
    const cluster = await client.get(namespaces, { name: space.name });
    recorder.record(cluster, { reason: 'Seen', note: 'a namespace', related: object });
    await until(
      'both events',
      async () =>
        (await eventsOn(space.name, long)).length === 1 && (await eventsOn('default', space.name)).length === 1,
    );
    const [event] = await eventsOn(space.name, long);
    expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1_024);
    expect((await eventsOn('default', space.name))[0]).toMatchObject({ related: { kind: 'ConfigMap', name: long } });
  });
});
