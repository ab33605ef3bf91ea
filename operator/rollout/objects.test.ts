// The Kubernetes objects of one assistant, whole: testdata/objects.json is read by a person when it changes. Every change of a pod template replaces all pods
// of all assistants at the next release, so none may happen by accident.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { podPrefix } from './names.ts';
import {
  activeService,
  appliedDigest,
  controllerRevision,
  deployment,
  disruptionBudget,
  drainAnnotations,
  previewService,
  revisionService,
} from './objects.ts';
import { sampleRelease } from './releases.ts';
import { makeRecord } from './revision.ts';
import { World } from './world.ts';

const { subject } = new World(sampleRelease('1.0.0')).snapshot();
const record = makeRecord(subject, { hash: '0a1b2c3d', restartedAt: null }, {}, 3);

it('are what they were', async () => {
  const content = record.components['chat'];
  if (content === undefined) throw new Error('the record has no chat');
  const objects = [
    controllerRevision(subject, record),
    deployment(subject, 'chat', record.hash, content, 2),
    revisionService(subject, 'chat', record.hash, 8080),
    activeService(subject, 'chat', record.hash, 8080),
    previewService(subject, 'chat', record.hash, 8080),
    disruptionBudget(subject, 'chat', record.hash),
  ];
  await expect(`${JSON.stringify(objects, null, 2)}\n`).toMatchFileSnapshot(
    join(import.meta.dirname, 'testdata/objects.json'),
  );
});

it('of a Deployment give their pods the beginning of its name, which Kubernetes cuts', () => {
  expect(podPrefix('support', 'chat', '0a1b2c3d')).toBe('support-chat-0a1b2c3d-');
  const long = 'a'.repeat(60);
  expect(podPrefix(long, 'chat', '0a1b2c3d')).toBe(long.slice(0, 58));
});

it('scaled have the same digest; another port has another one', () => {
  const content = record.components['chat']!;
  expect(appliedDigest(deployment(subject, 'chat', 'a', content, 2))).toBe(
    appliedDigest(deployment(subject, 'chat', 'a', content, 5)),
  );
  expect(appliedDigest(activeService(subject, 'chat', 'a', 8080))).not.toBe(
    appliedDigest(activeService(subject, 'chat', 'a', 8081)),
  );
});

it('a drain is noted by two times, and taken back by removing both', () => {
  expect(drainAnnotations({ startedAt: 0, deadline: 60_000 })).toEqual({
    'assistant-platform.io/drain-started': '1970-01-01T00:00:00.000Z',
    'assistant-platform.io/drain-deadline': '1970-01-01T00:01:00.000Z',
  });
  expect(Object.values(drainAnnotations(null))).toEqual([null, null]);
});
