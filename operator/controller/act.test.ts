// What ends a plan without being an error: the cluster is not what was looked at any more.
import { type Api, ApiError } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
import { podOf, snapshotOf } from '../rollout/worldSituations.ts';
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
