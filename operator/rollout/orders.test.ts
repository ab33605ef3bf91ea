// What people's verbs mean at each moment: which order they become, and what is answered when they mean nothing.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { gatherFacts } from './facts.ts';
import { ORDER_ANNOTATION, RESTART_ANNOTATION } from './names.ts';
import { dropOrder, type OrderWrite, readOrder, readRestart, takeVerbs } from './orders.ts';
import { canary, sampleRelease, withVersion } from './releases.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

const STEPS = canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 40 }, { setWeight: 60 }]);

function installed(): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', STEPS)));
  run.run(8000);
  return run;
}

/** In the rollout of 1.1.0, so many milliseconds after it began. */
function inRollout(ms: number): WorldRun {
  const run = installed();
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.run(ms);
  return run;
}

/** The answer to annotations that a person sets now. */
function taken({ world }: WorldRun, annotations: Record<string, string>): OrderWrite | null {
  const snapshot = world.snapshot();
  const f = gatherFacts({ ...snapshot, subject: { ...snapshot.subject, annotations } });
  return takeVerbs(f, f.progress, world.now);
}

/** The order that the annotations become. */
const orderOf = (run: WorldRun, annotations: Record<string, string>): unknown =>
  JSON.parse(taken(run, annotations)?.annotations[ORDER_ANNOTATION] ?? 'null');

const noteOf = (run: WorldRun, annotations: Record<string, string>): string | undefined =>
  taken(run, annotations)?.note;

describe('verbs', () => {
  it('none is no order', () => {
    expect(taken(installed(), {})).toBeNull();
  });

  it('before the first release is stable mean nothing, and are removed', () => {
    const run = new WorldRun(new World(sampleRelease('1.0.0', STEPS)));
    run.run(100);
    expect(taken(run, { [VERBS.promote]: 'step' })).toEqual({
      annotations: { [VERBS.promote]: null },
      note: 'nothing to promote, abort or retry: the first release takes no steps',
    });
  });

  it.each([VERBS.promote, VERBS.abort, VERBS.retry])('at rest mean nothing: %s', (verb) => {
    expect(noteOf(installed(), { [verb]: '' })).toBe('nothing is being rolled out: 1.0.0 is stable');
  });

  it('abort has its reason, its time and its revision', () => {
    const run = inRollout(8000);
    const revision = run.world.status.updateRevision?.hash;
    const at = new Date(run.world.now).toISOString();
    expect(orderOf(run, { [VERBS.abort]: 'wrong answers' })).toEqual({
      verb: 'abort',
      revision,
      reason: 'wrong answers',
      at,
    });
    expect(orderOf(run, { [VERBS.abort]: '' })).toMatchObject({ reason: 'no reason given' });
    expect(noteOf(run, { [VERBS.abort]: '' })).toBe(`abort of revision ${revision ?? ''} taken`);
  });

  it('abort takes effect however long its reason is: a log as the reason would be refused in the status, and the abort with it', () => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.abort]: '"panic"\n'.repeat(25_000) });
    run.run(5000);
    const { abort, conditions = [] } = run.world.status;
    expect(abort?.reason).toMatch(/^"panic"\n.*…$/s);
    expect(Math.max(...conditions.map(({ message }) => message.length))).toBeLessThan(2000);
    expect(JSON.stringify(run.world.annotations).length).toBeLessThan(5000);
  });

  it('abort outranks retry, and retry promote; all that are there are removed', () => {
    const run = inRollout(8000);
    const all = { [VERBS.promote]: 'step', [VERBS.retry]: '', [VERBS.abort]: 'bad' };
    expect(taken(run, all)?.annotations).toMatchObject({
      [VERBS.promote]: null,
      [VERBS.retry]: null,
      [VERBS.abort]: null,
    });
    expect(orderOf(run, all)).toMatchObject({ verb: 'abort' });
    expect(noteOf(run, { [VERBS.promote]: 'step', [VERBS.retry]: '' })).toBe(
      'nothing to retry: the rollout is not aborted',
    );
  });

  it('on an aborted rollout: only retry means something, and names the abort that it answers', () => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.abort]: 'bad' });
    run.run(5000);
    const { abort, updateRevision } = run.world.status;
    expect(orderOf(run, { [VERBS.retry]: '' })).toEqual({
      verb: 'retry',
      revision: updateRevision?.hash,
      abortedAt: abort?.at,
    });
    expect(noteOf(run, { [VERBS.abort]: '' })).toBe('already aborted');
    expect(noteOf(run, { [VERBS.promote]: 'full' })).toBe('the rollout is aborted: retry it, or edit the spec');
  });

  it('on the release that follows an aborted one are about that one', () => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.abort]: 'bad' });
    run.run(5000);
    run.world.edit((before) => withVersion(before, '1.2.0'));
    expect(orderOf(run, { [VERBS.abort]: '' })).toMatchObject({ verb: 'abort' });
    expect(orderOf(run, { [VERBS.promote]: 'step' })).toMatchObject({ verb: 'promote', index: 1 });
    expect(noteOf(run, { [VERBS.retry]: '' })).toBe('nothing to retry: the rollout is not aborted');
  });

  it('promote names the step: while a weight is being set, the wait that follows it', () => {
    const hash = (run: WorldRun) => ({
      revision: run.world.status.updateRevision?.hash,
      stepsHash: run.world.status.step?.stepsHash,
    });
    const setting = inRollout(300);
    expect(orderOf(setting, { [VERBS.promote]: 'step' })).toEqual({ verb: 'promote', ...hash(setting), index: 1 });
    const waiting = inRollout(8000);
    expect(waiting.world.status.step?.index).toBe(1);
    expect(orderOf(waiting, { [VERBS.promote]: 'step' })).toEqual({ verb: 'promote', ...hash(waiting), index: 1 });
    expect(orderOf(waiting, { [VERBS.promote]: 'full' })).toEqual({ verb: 'promote', ...hash(waiting), index: 'full' });
    waiting.world.annotate({ [VERBS.promote]: 'step' });
    waiting.run(300);
    // A weight that another weight follows: no wait to pass.
    expect(waiting.world.status.step?.index).toBe(2);
    expect(orderOf(waiting, { [VERBS.promote]: 'step' })).toMatchObject({ index: 2 });
  });
});

describe('an order, once its revision is not asked for any more', () => {
  const spec = (run: WorldRun, version: string): void => run.world.edit((before) => withVersion(before, version));
  const noted = ({ world }: WorldRun): unknown => world.annotations[ORDER_ANNOTATION];

  it('to abort does not abort the next rollout of that revision', () => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.abort]: 'not today' });
    run.run(8000);
    expect([run.world.status.phase, typeof noted(run)]).toEqual(['Degraded', 'string']);
    spec(run, '1.0.0');
    run.run(8000);
    expect([run.world.status.phase, noted(run)]).toEqual(['Healthy', undefined]);
    spec(run, '1.1.0');
    run.run(8000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { routed: 20 } });
    expect(run.world.status.abort).toBeUndefined();
    expect(run.violations).toEqual([]);
  });

  it.each(['full', 'step'])('to promote (%s) does not pass a step of the next rollout of that revision', (value) => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.promote]: value });
    run.settle();
    expect(noted(run)).toBeDefined();
    spec(run, '1.2.0');
    run.run(8000);
    spec(run, '1.1.0');
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', step: { index: 1 }, weight: { routed: 20 } });
    expect([noted(run), run.violations]).toEqual([undefined, []]);
  });

  it('stays while what the spec refers to is missing: nobody knows what is asked for', () => {
    const run = inRollout(8000);
    run.world.annotate({ [VERBS.abort]: 'not today' });
    run.run(8000);
    const f = gatherFacts(run.world.snapshot());
    expect(dropOrder(f)).toBeNull();
    expect(dropOrder({ ...f, target: { kind: 'ReferencesMissing', plain: 'p', missing: ['Secret/keys'] } })).toBeNull();
  });
});

describe('restart', () => {
  it('notes the time and the revision that it was asked for', () => {
    const run = installed();
    const at = '2026-01-31T12:00:00Z';
    expect(taken(run, { [VERBS.restart]: at })).toEqual({
      annotations: {
        [VERBS.restart]: null,
        [RESTART_ANNOTATION]: JSON.stringify({ at, of: run.world.status.stableRevision?.hash }),
      },
      note: 'restart of 1.0.0 taken: all pods are replaced in a rollout',
    });
  });

  it('waits behind other verbs', () => {
    const run = inRollout(8000);
    const both = taken(run, { [VERBS.restart]: '2026-01-31T12:00:00Z', [VERBS.promote]: 'step' });
    expect(Object.keys(both?.annotations ?? {})).toEqual([VERBS.promote, ORDER_ANNOTATION]);
  });

  it('is refused while something is missing that the spec refers to', () => {
    const run = installed();
    run.world.edit((before) => ({
      ...before,
      components: { chat: { ...before.components['chat']!, envFrom: [{ secretRef: { name: 'keys' } }] } },
    }));
    expect(taken(run, { [VERBS.restart]: '2026-01-31T12:00:00Z' })).toEqual({
      annotations: { [VERBS.restart]: null },
      note: 'no restart: Secret/keys missing',
    });
  });
});

describe('what the operator noted', () => {
  const order = (text: string) => readOrder({ [ORDER_ANNOTATION]: text });
  const restart = (text: string) => readRestart({ [RESTART_ANNOTATION]: text });

  it('is read as it was written', () => {
    const promote = { verb: 'promote', revision: 'a', stepsHash: 'b', index: 2 };
    const abort = { verb: 'abort', revision: 'a', reason: 'bad', at: '2026-01-01T00:00:00.000Z' };
    const retry = { verb: 'retry', revision: 'a', abortedAt: 'then' };
    for (const each of [promote, abort, retry]) expect(order(JSON.stringify(each))).toEqual(each);
    expect(restart('{"at":"now","of":"a","more":1}')).toEqual({ at: 'now', of: 'a' });
  });

  it.each(['', 'null', '7', '{', '{"verb":"promote"}', '{"verb":"dance","revision":"a"}', '{"revision":"a"}'])(
    'is nothing when somebody else wrote %s',
    (text) => {
      expect(order(text)).toBeNull();
    },
  );

  it.each([
    { verb: 'abort', revision: 'a', reason: 'bad', at: 'soon' },
    { verb: 'abort', revision: 'a', reason: 'bad' },
    { verb: 'abort', revision: 'a', at: '2026-01-01T00:00:00Z' },
    { verb: 'promote', revision: 'a', index: 1 },
    { verb: 'promote', revision: 'a', stepsHash: 'b', index: 'all' },
    { verb: 'retry', revision: 'a' },
  ])('is nothing where a part is missing or no time: the status could not be stored with %j', (value) => {
    expect(order(JSON.stringify(value))).toBeNull();
  });

  it.each(['', 'null', '7', '{', '{"at":"now"}', '{"of":"a"}', '{"at":1,"of":"a"}', '{"at":"now","of":1}'])(
    'is no restart when somebody else wrote %s',
    (text) => {
      expect(restart(text)).toBeNull();
    },
  );

  it('is nothing when nothing is there', () => {
    expect([readOrder({}), readRestart({})]).toEqual([null, null]);
  });
});
