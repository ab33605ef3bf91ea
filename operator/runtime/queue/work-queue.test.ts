import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import type { WorkQueueOptions } from './work-queue.ts';
import { priority, WorkQueue } from './work-queue.ts';

const setUp = (options: Partial<WorkQueueOptions<string>> = {}) => {
  const clock = new ManualClock();
  const queue = new WorkQueue<string>({ name: 'test', keyOf: (item) => item, clock, random: () => 0, ...options });
  return { clock, queue };
};

/** What is ready, in the order in which it is handed out. */
const drain = async (queue: WorkQueue<string>): Promise<string[]> => {
  const items: string[] = [];
  while (queue.ready > 0) {
    const work = await queue.get();
    if (!work) break;
    items.push(work.item);
    queue.done(work.item);
  }
  return items;
};

describe('WorkQueue', () => {
  it('hands a key out once however often it was added', async () => {
    const { queue } = setUp();
    for (const item of ['a', 'b', 'a', 'a']) queue.add(item);
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  it('never gives a key to two workers, and brings it back when it was added meanwhile', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.get();
    queue.add('a');
    expect(queue.ready).toBe(0);
    const second = queue.get();
    queue.done('a');
    expect(await second).toEqual({ item: 'a', priority: 0 });
  });

  it('wakes a worker that was waiting before the item came', async () => {
    const { queue } = setUp();
    const work = queue.get();
    queue.add('late');
    expect((await work)?.item).toBe('late');
  });

  it('of several delays takes the earliest, and an immediate add beats them all', async () => {
    const { clock, queue } = setUp();
    queue.add('a', { afterMs: 500 });
    queue.add('a', { afterMs: 100 });
    queue.add('a', { afterMs: 900 });
    queue.add('b', { afterMs: 300 });
    queue.add('b');
    expect(await drain(queue)).toEqual(['b']);
    await clock.advance(99);
    expect(queue.ready).toBe(0);
    await clock.advance(1);
    expect(await drain(queue)).toEqual(['a']);
    await clock.advance(10_000);
    expect(queue.size).toBe(0);
  });

  it('a delay does not hold back an item that is ready, nor the one added while it is worked on', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.add('a', { afterMs: 5_000 });
    expect((await queue.get())?.item).toBe('a');
    queue.add('a', { afterMs: 5_000 });
    queue.add('a', { afterMs: 50 });
    queue.add('a', { afterMs: 7_000 });
    queue.done('a');
    await clock.advance(50);
    expect(await drain(queue)).toEqual(['a']);
  });

  it('edits go before the backlog of the start, first come first served within a priority', async () => {
    const { queue } = setUp();
    for (const item of ['r1', 'r2', 'r3']) queue.add(item, { priority: priority.resync });
    queue.add('e1');
    queue.add('e2');
    queue.add('r3', { priority: priority.edit });
    expect(await drain(queue)).toEqual(['e1', 'e2', 'r3', 'r1', 'r2']);
  });

  it('an item that was raised is still handed out once', async () => {
    const { queue } = setUp();
    queue.add('a', { priority: priority.resync });
    queue.add('a', { priority: priority.edit });
    expect((await queue.get())?.item).toBe('a');
    queue.add('b', { priority: priority.resync });
    expect((await queue.get())?.item).toBe('b');
    expect([queue.ready, queue.working]).toEqual([0, 2]);
  });

  it('failures come back later and later, until forgotten', async () => {
    const { clock, queue } = setUp({ backoff: { baseMs: 10, maxMs: 35, factor: 2, jitter: 0 } });
    const waits: (number | undefined)[] = [];
    for (let failure = 0; failure < 4; failure++) {
      queue.addRateLimited('a');
      waits.push(clock.nextTimerIn);
      await clock.advance(1_000);
      await drain(queue);
    }
    expect(waits).toEqual([10, 20, 35, 35]);
    expect(queue.failures('a')).toBe(4);
    queue.forget('a');
    queue.addRateLimited('a');
    expect(clock.nextTimerIn).toBe(10);
  });

  it('limits retries over all items: after the burst they come at the rate', async () => {
    const { clock, queue } = setUp({
      backoff: { baseMs: 1, maxMs: 1, factor: 1, jitter: 0 },
      retryLimit: { rate: 10, burst: 3 },
    });
    for (const item of ['a', 'b', 'c', 'd', 'e']) queue.addRateLimited(item);
    await clock.advance(1);
    expect(await drain(queue)).toEqual(['a', 'b', 'c']);
    await clock.advance(99);
    expect(await drain(queue)).toEqual(['d']);
    await clock.advance(100);
    expect(await drain(queue)).toEqual(['e']);
  });

  it('shuts down when running work is done: workers go home, nothing new comes in', async () => {
    const { clock, queue } = setUp();
    queue.add('running');
    queue.add('never');
    queue.add('delayed', { afterMs: 10 });
    await queue.get();
    const idle = queue.shutDown().then(() => 'down');
    expect(await queue.get()).toBeUndefined();
    queue.add('refused');
    expect(await Promise.race([idle, Promise.resolve('still running')])).toBe('still running');
    queue.done('running');
    expect(await idle).toBe('down');
    await clock.advance(1_000);
    expect(queue.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('holds a bounded number of slots for an item that is brought forward again and again', async () => {
    const { clock, queue } = setUp();
    for (let round = 0; round < 5_000; round++) {
      queue.add('a', { afterMs: 3_600_000 - round });
      await drain(queue);
    }
    expect(queue.slots).toBeLessThan(100);
    await clock.advance(3_600_000);
    expect(await drain(queue)).toEqual(['a']);
  });

  it('done without get is a mistake of the caller', () => {
    const { queue } = setUp();
    expect(() => queue.done('a')).toThrow(/done\("a"\) without get/);
  });

  it("counts under client-go's metric names", async () => {
    const registry = new Registry();
    const { clock, queue } = setUp({ registry });
    queue.add('first', { priority: priority.resync });
    await queue.get();
    queue.done('first');
    queue.add('a', { priority: priority.resync });
    queue.add('b', { priority: priority.resync });
    queue.add('b', { priority: priority.edit });
    const depth = async () =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('workqueue_depth{'));
    expect(await depth()).toEqual([
      'workqueue_depth{name="test",controller="test",priority="-100"} 1',
      'workqueue_depth{name="test",controller="test",priority="0"} 1',
    ]);
    await queue.get();
    await clock.advance(3_000);
    const text = await registry.metrics();
    expect(text).toContain('workqueue_adds_total{name="test",controller="test"} 3');
    expect(text).toContain('workqueue_unfinished_work_seconds{name="test",controller="test"} 3');
    expect(text).toContain('workqueue_longest_running_processor_seconds{name="test",controller="test"} 3');
    expect(text).toContain('workqueue_queue_duration_seconds_count{name="test",controller="test"} 2');
    queue.done('b');
    expect(await registry.metrics()).toContain('workqueue_work_duration_seconds_sum{name="test",controller="test"} 3');
  });

  it('counts what was gathered while nobody took from it (on a standby) from the first taking on: nobody was late with it', async () => {
    const registry = new Registry();
    const { clock, queue } = setUp({ registry });
    const counted = async () =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => /^workqueue_(depth|adds_total|queue_duration_seconds_(sum|count))/.test(line))
        .map((line) => line.replace(/name="test",controller="test",?/, ''));
    queue.add('a');
    queue.add('b');
    await clock.advance(3_600_000);
    expect(await counted()).toEqual([]);
    await queue.get();
    expect(await counted()).toEqual([
      'workqueue_depth{priority="0"} 1',
      'workqueue_adds_total{} 2',
      'workqueue_queue_duration_seconds_sum{} 0',
      'workqueue_queue_duration_seconds_count{} 1',
    ]);
  });

  it('property: no key is with two workers, no add is lost, nothing is handed out too early', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('add' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        afterMs: fc.constantFrom(0, 0, 5, 20),
        priority: fc.constantFrom(-100, 0),
      }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('finish' as const), which: fc.nat(3) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 5, 30) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = setUp();
        /** Key -> the earliest moment from which it is owed a visit. */
        const owed = new Map<string, number>();
        const working: string[] = [];
        const take = async () => {
          const work = await queue.get();
          if (!work) throw new Error('the queue is not shut down');
          expect(working).not.toContain(work.item);
          expect(owed.get(work.item)).toBeLessThanOrEqual(clock.monotonic());
          owed.delete(work.item);
          working.push(work.item);
        };
        for (const act of steps) {
          if (act.do === 'add') {
            queue.add(act.key, act);
            owed.set(act.key, Math.min(owed.get(act.key) ?? Infinity, clock.monotonic() + act.afterMs));
          } else if (act.do === 'take' && queue.ready > 0) await take();
          else if (act.do === 'finish' && working.length > 0)
            queue.done(working.splice(act.which % working.length, 1)[0]!);
          else if (act.do === 'wait') await clock.advance(act.ms);
        }
        for (const item of working.splice(0)) queue.done(item);
        await clock.advance(1_000);
        while (queue.ready > 0) {
          await take();
          queue.done(working.pop()!);
        }
        expect([...owed.keys()]).toEqual([]);
        expect(queue.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
