import { expect, test } from 'vitest';
import { createLifecycle } from './lifecycle.ts';

test('ready only after the start, with all that is required, and never again after a drain', () => {
  const lifecycle = createLifecycle();
  let secrets = false;
  lifecycle.depend('secrets', { required: true, state: () => ({ ok: secrets }) });
  lifecycle.depend('redis', { required: false, state: () => ({ ok: false, detail: 'away', latencyMs: 3 }) });
  expect(lifecycle.readiness()).toMatchObject({ ready: false, state: 'starting' });
  lifecycle.started();
  expect(lifecycle.readiness().ready).toBe(false);
  secrets = true;
  expect(lifecycle.readiness()).toEqual({
    ready: true,
    state: 'ready',
    dependencies: {
      secrets: { ok: true, required: true },
      redis: { ok: false, required: false, detail: 'away', latencyMs: 3 },
    },
  });
  lifecycle.drain();
  expect(lifecycle.readiness()).toMatchObject({ ready: false, state: 'draining' });
  lifecycle.started();
  expect(lifecycle.state()).toBe('draining');
});
