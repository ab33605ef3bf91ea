import { expect, test, vi } from 'vitest';
import { createMetrics } from './metrics.ts';
import { DependencyUnavailable, createGuard } from './resilience.ts';

const metrics = () => createMetrics({ component: 'test', revision: 'r' }, false);
const fail = () => Promise.reject(new Error('down'));

test('[R-096] opens after 5 failures, lets one call through after 60 s, closes on success, opens again on failure', async () => {
  vi.useFakeTimers();
  try {
    const guard = createGuard({ dependency: 'd', metrics: metrics() });
    for (let i = 0; i < 5; i += 1) {
      expect(guard.state()).toBe('closed');
      await expect(guard.run(fail)).rejects.toThrow('down');
    }
    expect(guard.state()).toBe('open');
    await expect(guard.run(() => Promise.resolve(1))).rejects.toThrow(DependencyUnavailable);
    vi.advanceTimersByTime(59_000);
    await expect(guard.run(() => Promise.resolve(1))).rejects.toThrow(DependencyUnavailable);
    vi.advanceTimersByTime(1_000);
    await expect(guard.run(fail)).rejects.toThrow('down');
    expect(guard.state()).toBe('open');
    vi.advanceTimersByTime(60_000);
    await expect(guard.run(() => Promise.resolve(1))).resolves.toBe(1);
    expect(guard.state()).toBe('closed');
  } finally {
    vi.useRealTimers();
  }
});

test('what does not speak against the dependency does not open it; the state is a metric', async () => {
  const held = metrics();
  const guard = createGuard({ dependency: 'd', metrics: held, counts: () => false });
  for (let i = 0; i < 20; i += 1) await expect(guard.run(fail)).rejects.toThrow('down');
  expect(guard.state()).toBe('closed');
  const strict = createGuard({ dependency: 'd', metrics: held, failures: 1 });
  await expect(strict.run(fail)).rejects.toThrow('down');
  expect(await held.registry.metrics()).toMatch(/^assistant_dependency_breaker_state\{.*dependency="d".*\} 2$/m);
});

test('a probe that is given up by its caller does not close it', async () => {
  vi.useFakeTimers();
  try {
    const left = new Error('the caller has left');
    const guard = createGuard({ dependency: 'd', metrics: metrics(), failures: 1, counts: (error) => error !== left });
    await expect(guard.run(fail)).rejects.toThrow('down');
    vi.advanceTimersByTime(60_000);
    await expect(guard.run(() => Promise.reject(left))).rejects.toBe(left);
    expect(guard.state()).toBe('open');
  } finally {
    vi.useRealTimers();
  }
});

test('a full pool refuses at once and leaves those inside alone', async () => {
  const guard = createGuard({ dependency: 'd', metrics: metrics(), pool: { size: 1, queue: 1 } });
  const { promise, resolve } = Promise.withResolvers<string>();
  const inside = guard.run(() => promise);
  const queued = guard.run(() => Promise.resolve('second'));
  await expect(guard.run(() => Promise.resolve('third'))).rejects.toMatchObject({ reason: 'full' });
  resolve('first');
  expect(await Promise.all([inside, queued])).toEqual(['first', 'second']);
  expect(guard.state()).toBe('closed');
});

test('who leaves the line of a pool gives up the place at once', async () => {
  const guard = createGuard({ dependency: 'd', metrics: metrics(), pool: { size: 1, queue: 1 } });
  const { promise, resolve } = Promise.withResolvers<string>();
  const inside = guard.run(() => promise);
  const gone = new AbortController();
  let called = false;
  const left = guard.run(() => Promise.resolve((called = true)), gone.signal);
  gone.abort(new Error('the caller has left'));
  await expect(left).rejects.toThrow('the caller has left');
  const queued = guard.run(() => Promise.resolve('second'));
  resolve('first');
  expect(await Promise.all([inside, queued])).toEqual(['first', 'second']);
  expect(called).toBe(false);
});
