// What ends a plan without being an error: the cluster is not what was looked at any more.
import { type Api, ApiError, type DeleteOptions } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
import { podOf, routeOf, snapshotOf } from '../rollout/worldSituations.ts';
import { act, type ActContext } from './act.ts';

it.each([
  ['the pod is gone', 404, 'name', 'Outdated'],
  ['the pod has been changed', 409, 'metadata.resourceVersion', 'Outdated'],
  ['another pod has its name', 422, 'metadata.uid', 'Outdated'],
  ['the annotation is refused', 422, 'metadata.annotations', '422'],
])('marking a pod: %s', async (_, code, field, ends) => {
  const { subject } = snapshotOf();
  const refusal = new ApiError('PATCH the pod', code, { details: { causes: [{ field, message: 'refused' }] } });
  const api = { patch: () => Promise.reject(refusal) } as unknown as Api;
  const mark = { kind: 'MarkPod', pod: podOf('a', 'chat'), drain: { startedAt: 0, deadline: 1 } } as const;
  const ended = await act([mark], { api, subject } as ActContext).then(
    ({ kind }) => kind,
    (error: unknown) => (error instanceof ApiError ? String(error.code) : error),
  );
  expect(ended).toBe(ends);
});

it('a route that is refused does not keep the others from being written, but ends the plan', async () => {
  const { subject } = snapshotOf();
  const refusal = new ApiError('apply the route', 403, { message: 'denied by a policy' });
  const written: string[] = [];
  const api = {
    apply: (_type: unknown, { metadata: { name } }: { metadata: { name: string } }) => {
      if (name === 'support-chat') return Promise.reject(refusal);
      written.push(name);
      return Promise.resolve();
    },
  } as unknown as Api;
  const routes = ['chat', 'realtime'].map((component) => {
    const { intent } = routeOf(component, { a: 100 });
    if (intent === null) throw new Error('it has none');
    return { kind: 'WriteRoute', intent, resourceVersion: '1' } as const;
  });
  const scale = { kind: 'PatchWorkload', name: 'w', replicas: 0, drain: null, resourceVersion: '1' } as const;
  await expect(act([...routes, scale], { api, subject } as ActContext)).rejects.toBe(refusal);
  expect(written).toEqual(['support-realtime']);
});

it('deletes the very object that was seen with our label, and nothing where none was seen', async () => {
  const { subject } = snapshotOf();
  const deleted: unknown[] = [];
  const api = {
    delete: (_type: unknown, { name }: { name: string }, { preconditions }: DeleteOptions) => {
      deleted.push([name, preconditions]);
      return Promise.resolve();
    },
  } as unknown as Api;
  const remove = (name: string) => ({ kind: 'Delete', ref: { kind: 'Service', name } }) as const;
  const ownUid = ({ name }: { name: string }) => (name === 'ours' ? 'uid-of-ours' : undefined);
  const context = { api, subject, ownUid } as unknown as ActContext;
  expect(await act([remove('foreign'), remove('ours')], context)).toEqual({ kind: 'Done' });
  expect(deleted).toEqual([['ours', { uid: 'uid-of-ours' }]]);
});
