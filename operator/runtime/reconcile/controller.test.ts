import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Change, ChangeHandler } from '../cache/informer.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { jsonLogger } from '../log/logger.ts';
import { configMaps, deployments } from '../objects/builtin.ts';
import type { KubeObject } from '../objects/objects.ts';
import type { ControllerOptions, Reconciler, Request } from './controller.ts';
import { Controller } from './controller.ts';
import { done, requeue, requeueAfter, TerminalError } from './result.ts';
import { enqueueByLabel, enqueueController, enqueueSelf, specChanged } from './sources.ts';

const setUp = (reconcile: Reconciler, options: Partial<ControllerOptions> = {}) => {
  const clock = new ManualClock();
  const registry = new Registry();
  const log: string[] = [];
  const logger = jsonLogger((line) => void log.push(line), 'debug');
  const backoff = { baseMs: 10, maxMs: 1_000, factor: 2, jitter: 0 };
  const controller = new Controller({
    name: 'test',
    reconcile,
    clock,
    registry,
    logger,
    backoff,
    random: () => 0,
    ...options,
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  const finish = async () => {
    stop.abort();
    await running;
  };
  const metric = async (line: string) =>
    (await registry.metrics())
      .split('\n')
      .find((text) => text.startsWith(line))
      ?.split(' ')
      .at(-1);
  return { clock, controller, stop, running, finish, log, metric };
};

const a: Request = { namespace: 'ns', name: 'a' };
const b: Request = { namespace: 'ns', name: 'b' };

describe('Controller', () => {
  it('makes one reconcile of the changes within the time in which they are to be gathered', async () => {
    const times: number[] = [];
    const { clock, controller, finish } = setUp(() => {
      times.push(clock.now() - start);
      return Promise.resolve(done);
    });
    const start = clock.now();
    const handlers: ChangeHandler<KubeObject>[] = [];
    controller.watches(
      { addHandler: (handler) => (handlers.push(handler), () => undefined) },
      enqueueSelf,
      undefined,
      50,
    );
    const change = (initial: boolean): Change => ({
      type: 'Added',
      initial,
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: a },
    });
    const tell = (initial: boolean) => handlers.forEach((handler) => handler(change(initial)));
    for (let n = 0; n < 5; n++) {
      tell(false);
      await clock.advance(10);
    }
    await clock.advance(100);
    tell(true);
    await clock.advance(0);
    expect(times).toEqual([50, 150]);
    await finish();
  });

  it('reconciles what is asked for, with an id and a log of its own', async () => {
    const seen: unknown[] = [];
    const { clock, controller, finish, log, metric } = setUp(
      (request, { reconcileId, log: reconcileLog, failures }) => {
        seen.push([request, failures]);
        reconcileLog.info({ step: 1 }, `id ${reconcileId}`);
        return Promise.resolve(done);
      },
    );
    controller.enqueue(a);
    await clock.advance(0);
    expect(seen).toEqual([[a, 0]]);
    const line = JSON.parse(log.find((text) => text.includes('"step":1')) ?? '{}') as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'info', controller: 'test', namespace: 'ns', name: 'a' });
    expect(line['msg']).toBe(`id ${String(line['reconcileId'])}`);
    expect(await metric('controller_runtime_reconcile_total{controller="test",result="success"}')).toBe('1');
    await finish();
  });

  it('looks again after the delay it is told, or sooner when something changes', async () => {
    const times: number[] = [];
    const { clock, controller, finish, metric } = setUp(() => {
      times.push(clock.now() - start);
      return Promise.resolve(requeueAfter(1_000));
    });
    const start = clock.now();
    controller.enqueue(a);
    await clock.advance(400);
    controller.enqueue(a);
    await clock.advance(1_100);
    expect(times).toEqual([0, 400, 1_400]);
    expect(await metric('controller_runtime_reconcile_total{controller="test",result="requeue_after"}')).toBe('3');
    await finish();
  });

  it('looks again later and later while what it looks at is out of date, and soon again once it was not', async () => {
    const times: number[] = [];
    let outdated = true;
    const { clock, controller, finish, metric } = setUp(() => {
      times.push(clock.now() - start);
      return Promise.resolve(outdated ? requeue(50) : done);
    });
    const start = clock.now();
    controller.enqueue(a);
    await clock.advance(60_000);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps[0]).toBe(50);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(1_000);
    expect(await metric('controller_runtime_reconcile_total{controller="test",result="requeue"}')).toBe(
      `${times.length}`,
    );
    outdated = false;
    controller.enqueue(a);
    await clock.advance(0);
    outdated = true;
    times.length = 0;
    controller.enqueue(a);
    await clock.advance(60);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(50);
    await finish();
  });

  it.each<[string, () => Promise<never>]>([
    ['a rejection', () => Promise.reject(new Error('bad luck'))],
    [
      'a throw',
      () => {
        throw new Error('bad luck');
      },
    ],
  ])('contains %s and tries again later and later; a success forgets the failures', async (_name, fail) => {
    const tries: [number, number][] = [];
    let broken = true;
    const { clock, controller, finish, log, metric } = setUp((_request, { failures }) => {
      tries.push([clock.now() - start, failures]);
      return broken ? fail() : Promise.resolve(done);
    });
    const start = clock.now();
    controller.enqueue(a);
    await clock.advance(35);
    expect(tries).toEqual([
      [0, 0],
      [10, 1],
      [30, 2],
    ]);
    broken = false;
    await clock.advance(1_000);
    broken = true;
    controller.enqueue(a);
    await clock.advance(0);
    expect(tries.at(-1)?.[1]).toBe(0);
    expect(await metric('controller_runtime_reconcile_errors_total{controller="test"}')).toBe('4');
    expect(log.filter((line) => line.includes('bad luck'))).toHaveLength(4);
    await finish();
  });

  it('does not repeat a terminal error until something changes', async () => {
    let tries = 0;
    const { clock, controller, finish, metric } = setUp(() => {
      tries += 1;
      return Promise.reject(new TerminalError('the spec is wrong'));
    });
    controller.enqueue(a);
    await clock.advance(600_000);
    expect(tries).toBe(1);
    controller.enqueue(a);
    await clock.advance(0);
    expect(tries).toBe(2);
    expect(await metric('controller_runtime_terminal_reconcile_errors_total{controller="test"}')).toBe('2');
    await finish();
  });

  it('never reconciles an object twice at the same time, but others beside it', async () => {
    const under = new Map<string, PromiseWithResolvers<typeof done>>();
    let peak = 0;
    const { clock, controller, finish, metric } = setUp(
      ({ name }) => {
        if (under.has(name)) throw new Error(`${name} twice`);
        const work = Promise.withResolvers<typeof done>();
        under.set(name, work);
        peak = Math.max(peak, under.size);
        return work.promise.finally(() => under.delete(name));
      },
      { workers: 3 },
    );
    for (const request of [a, b, a]) controller.enqueue(request);
    await clock.advance(0);
    controller.enqueue(a);
    await clock.advance(0);
    expect([...under.keys()]).toEqual(['a', 'b']);
    expect(await metric('controller_runtime_active_workers{controller="test"}')).toBe('2');
    expect(await metric('controller_runtime_max_concurrent_reconciles{controller="test"}')).toBe('3');
    for (let round = 0; round < 2; round++) {
      for (const work of under.values()) work.resolve(done);
      await clock.advance(0);
    }
    expect([
      peak,
      under.size,
      await metric('controller_runtime_reconcile_total{controller="test",result="success"}'),
    ]).toEqual([2, 0, '3']);
    await finish();
  });

  it('tells a reconcile that takes too long to stop, and counts it as failed even if it claims success', async () => {
    let attempts = 0;
    const { clock, controller, finish, log, metric } = setUp(
      (_request, { signal }) => {
        attempts += 1;
        if (attempts > 1) return Promise.resolve(done);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(done)));
      },
      { timeoutMs: 5_000 },
    );
    controller.enqueue(a);
    await clock.advance(5_000);
    expect(await metric('controller_runtime_reconcile_timeouts_total{controller="test"}')).toBe('1');
    expect(log.some((line) => line.includes('reconcile of ns/a took longer than 5000 ms'))).toBe(true);
    await clock.advance(10);
    expect(attempts).toBe(2);
    await finish();
  });

  it('says that it is stuck when a reconcile that was told to stop does not return', async () => {
    const release = Promise.withResolvers<typeof done>();
    const { clock, controller, finish } = setUp(() => release.promise, { timeoutMs: 5_000 });
    controller.enqueue(a);
    await clock.advance(10_000);
    expect(controller.stuck).toBeUndefined();
    await clock.advance(1);
    expect(controller.stuck).toBe('the reconcile of ns/a was told to stop after 5000 ms and still runs after 10001 ms');
    release.resolve(done);
    await clock.advance(0);
    expect(controller.stuck).toBeUndefined();
    await finish();
  });

  it('on stop lets running work finish and starts no other', async () => {
    const release = Promise.withResolvers<typeof done>();
    const started: string[] = [];
    const { clock, controller, running, stop } = setUp(({ name }) => {
      started.push(name);
      return release.promise;
    });
    controller.enqueue(a);
    controller.enqueue(b);
    await clock.advance(0);
    stop.abort();
    const ended = running.then(() => 'ended');
    await clock.advance(1_000);
    expect(await Promise.race([ended, Promise.resolve('running')])).toBe('running');
    release.resolve(done);
    expect(await ended).toBe('ended');
    expect(started).toEqual(['a']);
  });

  it('abort ends running work by its signal, and that is no error', async () => {
    const { clock, controller, running, stop, metric } = setUp(
      (_request, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    controller.enqueue(a);
    await clock.advance(0);
    stop.abort();
    controller.abort(new Error('lost the lease'));
    await running;
    expect(await metric('controller_runtime_reconcile_errors_total{controller="test"}')).toBe('0');
  });

  it('puts edits before what was there at the start, and obeys its filter', async () => {
    const order: string[] = [];
    const handlers: ChangeHandler<KubeObject>[] = [];
    const clock = new ManualClock();
    const controller = new Controller({
      name: 'test',
      clock,
      reconcile: ({ name }) => {
        order.push(name);
        return Promise.resolve(done);
      },
    });
    controller.watches(
      {
        addHandler: (handler) => {
          handlers.push(handler);
          return () => undefined;
        },
      },
      enqueueSelf,
      ({ object }) => object.metadata.name !== 'boring',
    );
    const named = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    for (const name of ['old1', 'boring', 'old2']) handlers[0]?.({ type: 'Added', object: named(name), initial: true });
    handlers[0]?.({ type: 'Updated', object: named('edited'), old: named('edited') });
    const stop = new AbortController();
    const running = controller.run(stop.signal);
    await clock.advance(0);
    expect(order).toEqual(['edited', 'old1', 'old2']);
    stop.abort();
    await running;
  });

  it('refuses results and options that make no sense', () => {
    expect(() => requeueAfter(-1)).toThrow(RangeError);
    expect(() => requeueAfter(NaN)).toThrow(RangeError);
    expect(() => new Controller({ name: 'x', workers: 0, reconcile: () => Promise.resolve(done) })).toThrow(
      'workers must be 1 or more',
    );
  });
});

describe('sources', () => {
  const child = (owner: string | undefined, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: 'ns',
      name: 'child',
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'apps/v1beta9', kind: 'Deployment', name: owner, uid: 'u', controller: true },
            ],
          }),
      ...more,
    },
  });
  const changed = (old: KubeObject, object: KubeObject): Change => ({ type: 'Updated', old, object });

  it('enqueueController finds the owner by kind and group, whatever its version, and both after a change of owner', () => {
    const map = enqueueController(deployments);
    expect(map({ type: 'Deleted', object: child('one') })).toEqual([{ namespace: 'ns', name: 'one' }]);
    expect(map(changed(child('one'), child('two')))).toEqual([
      { namespace: 'ns', name: 'one' },
      { namespace: 'ns', name: 'two' },
    ]);
    expect(map({ type: 'Added', initial: false, object: child(undefined) })).toEqual([]);
    expect(enqueueController(configMaps)({ type: 'Deleted', object: child('one') })).toEqual([]);
  });

  it('enqueueByLabel names the object in the label, before and after', () => {
    const map = enqueueByLabel('owner');
    expect(
      map(changed(child(undefined, { labels: { owner: 'x' } }), child(undefined, { labels: { owner: 'y' } }))),
    ).toEqual([
      { namespace: 'ns', name: 'x' },
      { namespace: 'ns', name: 'y' },
    ]);
    expect(map({ type: 'Deleted', object: child(undefined) })).toEqual([]);
  });

  it.each<[string, Partial<KubeObject['metadata']>, boolean]>([
    ['a status', { resourceVersion: '2' }, false],
    ['a spec', { generation: 2 }, true],
    ['an annotation', { annotations: { a: 'b' } }, true],
    ['a label', { labels: { a: 'b' } }, true],
    ['a deletion', { deletionTimestamp: 'now' }, true],
    ['a new incarnation', { uid: 'other' }, true],
  ])('specChanged after a change of %s', (_name, more, expected) => {
    expect(specChanged(changed(child(undefined), child(undefined, more)))).toBe(expected);
  });
});
