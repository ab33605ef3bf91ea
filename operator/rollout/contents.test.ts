// What moves pods without another image: contents of ConfigMaps and Secrets, and a restart.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { canary, withStrategy } from './releases.ts';
import { installed, release } from './test-rollouts.ts';
import type { WorldRun } from './worldRun.ts';

describe('contents that a revision refers to', () => {
  const reading = (run: WorldRun): void => {
    run.world.edit((before) => ({
      ...before,
      components: Object.fromEntries(
        Object.entries(before.components).map(([name, component]) => [
          name,
          { ...component, envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }] },
        ]),
      ),
    }));
  };
  const names = (run: WorldRun): string[] => [...run.world.copies.keys()].sort();
  const hashOf = (run: WorldRun): string => run.world.status.stableRevision?.hash ?? '';
  const template = (run: WorldRun, hash: string): string => JSON.stringify(run.world.records.get(hash)?.components);

  function started(): WorldRun {
    const run = installed();
    Object.assign(run.world.references, { 'ConfigMap/settings': 'one', 'Secret/keys': 'k1' });
    reading(run);
    run.run(30_000);
    expect(run.world.status.phase).toBe('Healthy');
    return run;
  }

  /** Somebody edits the ConfigMap, and half a minute passes. */
  function writeSettings(run: WorldRun, content: string): void {
    run.world.references['ConfigMap/settings'] = content;
    run.world.annotate({ note: 'the ConfigMap changed' });
    run.run(30_000);
  }

  it('are copied for it, and its pods read the copies', () => {
    const run = started();
    const hash = hashOf(run);
    expect(names(run)).toEqual([`ConfigMap/support-${hash}-settings`, `Secret/support-${hash}-keys`]);
    expect(template(run, hash)).toContain(`support-${hash}-settings`);
    expect(template(run, hash)).not.toContain('"settings"');
  });

  it('changed are another revision; going back finds the old contents where they were', () => {
    const run = started();
    const first = hashOf(run);
    writeSettings(run, 'two');
    const second = hashOf(run);
    expect(second).not.toBe(first);
    expect(names(run)).toHaveLength(4);
    writeSettings(run, 'one');
    expect(hashOf(run)).toBe(first);
    expect(names(run)).toHaveLength(4);
    expect(run.violations).toEqual([]);
  });

  it('[R-298] are what they were after an undo, whatever the originals hold by now', () => {
    const run = started();
    const first = hashOf(run);
    writeSettings(run, 'two');
    const second = hashOf(run);
    run.world.annotate({ [VERBS.undo]: first });
    run.run(90_000);
    expect(hashOf(run)).toBe(first);
    expect(run.told).toContain(`VerbTaken: undo taken: revision ${first} (1.0.0) with the contents that it had`);
    expect(run.world.pods.every((pod) => pod.revision === first)).toBe(true);
    const quiet = run.log.length;
    run.run(120_000, 1000);
    expect(run.log.length).toBe(quiet);
    // A restart would read the originals: it is answered.
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(10_000);
    expect(run.told.at(-1)).toContain('give them these contents first');
    expect(hashOf(run)).toBe(first);
    // An edit of the contents is a release again, and so is the one that goes back to those of before.
    writeSettings(run, 'three');
    expect([first, second]).not.toContain(hashOf(run));
    writeSettings(run, 'two');
    expect(hashOf(run)).toBe(second);
    expect(run.violations).toEqual([]);
  });

  it('of an undo to what is there already need no note: it is taken, and nothing moves', () => {
    const run = started();
    const first = hashOf(run);
    run.world.annotate({ [VERBS.undo]: first });
    run.run(10_000);
    expect(run.told.at(-1)).toBe(`VerbTaken: undo taken: revision ${first} (1.0.0) with the contents that it had`);
    expect(run.world.annotations).toEqual({});
    expect([hashOf(run), run.world.status.phase]).toEqual([first, 'Healthy']);
  });

  it('of an undo in mid-rollout are those of stable: all traffic returns at once', () => {
    const run = started();
    const first = hashOf(run);
    run.world.references['ConfigMap/settings'] = 'two';
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 50 }, { pause: {} }])));
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { routed: 50 } });
    run.world.annotate({ [VERBS.undo]: first });
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { hash: first } });
    expect(run.violations).toEqual([]);
  });

  it('are not restored by an undo to a revision that is not recorded, or of another spec; it is answered', () => {
    const run = started();
    const first = hashOf(run);
    run.world.annotate({ [VERBS.undo]: 'abcdef01' });
    run.run(5000);
    expect(run.told.at(-1)).toBe('VerbTaken: no undo: there is no record of revision abcdef01');
    release(run, '2.0.0');
    run.run(60_000);
    run.world.annotate({ [VERBS.undo]: first });
    run.run(5000);
    expect(run.told.at(-1)).toBe(`VerbTaken: no undo: the spec is not that of revision ${first}`);
    expect(run.world.annotations[VERBS.undo]).toBeUndefined();
    expect(run.world.status.stableRevision?.release).toBe('2.0.0');
  });

  it('that are gone hold a rollout that is under way, and one that was aborted says it, too', () => {
    const run = started();
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 50 }, { pause: { duration: '10s' } }])));
    release(run, '2.0.0');
    run.run(8000);
    delete run.world.references['ConfigMap/settings'];
    run.world.annotate({ note: 'the ConfigMap is gone' });
    run.run(60_000);
    expect(run.world.status).toMatchObject({
      weight: { routed: 50 },
      blockedBy: [{ reason: 'ReferenceMissing', message: expect.stringContaining('ConfigMap/settings') as string }],
    });
    run.world.annotate({ [VERBS.abort]: 'enough' });
    run.run(20_000);
    expect(run.world.status.blockedBy?.map(({ reason }) => reason)).toEqual(['Aborted', 'ReferenceMissing']);
    run.world.references['ConfigMap/settings'] = 'one';
    run.world.annotate({ [VERBS.retry]: '' });
    run.run(60_000);
    expect(run.world.status.stableRevision?.release).toBe('2.0.0');
    expect(run.violations).toEqual([]);
  });

  it('are forgotten with their revision, and all gone with the AssistantDeployment', () => {
    const run = started();
    const first = hashOf(run);
    for (const version of ['2.0.0', '3.0.0', '4.0.0', '5.0.0']) {
      release(run, version);
      run.run(60_000, 250);
    }
    expect(run.world.records.has(first)).toBe(false);
    expect(names(run).some((name) => name.includes(first))).toBe(false);
    expect(names(run).length).toBe(2 * run.world.records.size);
    run.world.delete();
    run.run(60_000);
    expect([run.world.exists, names(run)]).toEqual([false, []]);
  });

  it('that changed before they were copied make the decision anew', () => {
    const run = installed();
    Object.assign(run.world.references, { 'ConfigMap/settings': 'one', 'Secret/keys': 'k1' });
    reading(run);
    const snapshot = run.world.snapshot();
    run.world.references['ConfigMap/settings'] = 'two';
    const copy = {
      kind: 'CopyReference',
      reference: 'ConfigMap/settings',
      digest: 'one',
      name: 'x',
      revision: 'y',
    } as const;
    expect(() => run.world.write(copy, snapshot)).toThrow('ConfigMap/settings');
    run.run(30_000);
    expect(run.world.status.phase).toBe('Healthy');
  });
});

describe('restart', () => {
  it('replaces all pods of the same spec in a rollout, once, and is history like any other', () => {
    const run = installed();
    const first = run.world.status.stableRevision?.hash;
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(1000);
    expect(run.world.annotations[VERBS.restart]).toBeUndefined();
    expect(run.world.status.phase).not.toBe('Healthy');
    run.run(60_000);
    const { stableRevision, history } = run.world.status;
    expect(stableRevision).toMatchObject({ release: '1.0.0' });
    expect(stableRevision?.hash).not.toBe(first);
    expect(run.world.pods.every((pod) => pod.revision === stableRevision?.hash)).toBe(true);
    expect(history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Promoted']);
    const quiet = run.log.length;
    run.run(120_000, 1000);
    expect(run.log.length).toBe(quiet);
    expect(run.violations).toEqual([]);
  });

  it('ends with another spec, and the old spec is then the restarted one', () => {
    const run = installed();
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(60_000);
    const restarted = run.world.status.stableRevision?.hash;
    release(run, '2.0.0');
    run.run(60_000);
    release(run, '1.0.0');
    run.run(60_000);
    expect(run.world.status.stableRevision?.hash).toBe(restarted);
  });

  it('is possible again after it was undone: the contents are still the same', () => {
    const run = installed();
    const before = run.world.status.stableRevision?.hash ?? '';
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(30_000);
    run.world.annotate({ [VERBS.undo]: before });
    run.run(30_000);
    expect(run.world.status.stableRevision?.hash).toBe(before);
    run.world.annotate({ [VERBS.restart]: '2026-01-31T13:00:00Z' });
    run.run(30_000);
    expect(run.told.filter((line) => line.includes('no restart'))).toEqual([]);
    expect(run.world.status.phase).toBe('Healthy');
    expect(run.world.status.history?.map(({ hash }) => hash)).toHaveLength(3);
    expect(run.world.status.stableRevision?.hash).not.toBe(before);
  });

  it('is what an undo goes back to as well', () => {
    const run = installed();
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(30_000);
    const restarted = run.world.status.stableRevision?.hash ?? '';
    run.world.annotate({ [VERBS.restart]: '2026-01-31T13:00:00Z' });
    run.run(30_000);
    expect(run.world.status.stableRevision?.hash).not.toBe(restarted);
    run.world.annotate({ [VERBS.undo]: restarted });
    run.run(30_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { hash: restarted } });
    expect(run.violations).toEqual([]);
  });

  it('without a time is answered and changes nothing', () => {
    const run = installed();
    const before = run.world.status.stableRevision?.hash;
    run.world.annotate({ [VERBS.restart]: 'now' });
    run.run(10_000);
    expect(run.told.at(-1)).toContain('"now" is no time; write one such as 2026-01-31T12:00:00Z');
    expect([run.world.status.stableRevision?.hash, run.world.annotations[VERBS.restart]]).toEqual([before, undefined]);
  });
});
