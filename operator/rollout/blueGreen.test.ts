// Blue-green releases: single situations, each with what a person sees of it.
import { describe, expect, it } from 'vitest';
import { blueGreen } from './releases.ts';
import { installed, podsOf, release, waits } from './test-rollouts.ts';

describe('blue-green', () => {
  it('with autoPromote false waits at the preview', () => {
    const run = installed(blueGreen({ autoPromote: false }));
    release(run, '1.1.0');
    run.run(60_000);
    expect([run.world.status.phase, waits(run)]).toEqual(['Paused', ['BlueGreenPause']]);
    expect([...run.world.services.keys()]).toContain('support-chat-preview');
    const { hash } = run.world.status.updateRevision!;
    expect(run.world.routes.get('chat')?.intent.byHeader.map(({ revision }) => revision)).toContain(hash);
    expect(podsOf(run, 'chat').filter((pod) => pod.revision === hash)).toHaveLength(2);
  });

  it('keeps the preview reachable by header while its pods restart', () => {
    const run = installed(blueGreen({ autoPromote: false }));
    release(run, '1.1.0');
    run.run(8000);
    const { hash } = run.world.status.updateRevision!;
    run.view = (snapshot) => ({
      ...snapshot,
      pods: snapshot.pods.map((pod) => (pod.revision === hash ? { ...pod, ready: false } : pod)),
    });
    run.world.annotate({ note: 'look' });
    run.run(5000);
    expect(run.world.routes.get('chat')?.intent.byHeader.map(({ revision }) => revision)).toContain(hash);
  });

  it('keeps the old set untouched for a while: going back then needs no new pods', () => {
    const run = installed(blueGreen({ scaleDownDelay: '30s' }));
    const before = run.world.pods.map(({ name }) => name);
    release(run, '1.1.0');
    run.run(8000);
    expect(run.world.status.stableRevision?.release).toBe('1.1.0');
    expect(run.world.pods.map(({ name }) => name)).toEqual(expect.arrayContaining(before));
    release(run, '1.0.0');
    run.run(3000);
    expect(run.world.status.stableRevision?.release).toBe('1.0.0');
    expect(run.world.pods.filter(({ name }) => before.includes(name))).toHaveLength(4);
    expect(run.violations).toEqual([]);
  });
});
