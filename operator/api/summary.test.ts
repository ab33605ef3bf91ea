import { describe, expect, test } from 'vitest';
import type { AssistantDeploymentStatus } from './assistant-deployment.ts';
import { summarize } from './summary.ts';

const stable = { hash: 'a', release: '1' };
const draining = { component: 'chat', busy: 0, startedAt: '', deadline: '', forced: false };
const status: AssistantDeploymentStatus = {
  stableRevision: stable,
  updateRevision: { hash: 'b', release: '2' },
  step: { index: 2, count: 7, stepsHash: 's', startedAt: '' },
  weight: { requested: 20, routed: 10 },
  components: {
    chat: { stable: { replicas: 2, ready: 2, sockets: 1 }, update: { replicas: 1, ready: 0, sockets: 2 } },
    realtime: { stable: { replicas: 2, ready: 1, sockets: 30 } },
  },
  draining: [{ ...draining, hash: 'old', sockets: 4 }],
};

describe('summarize', () => {
  test('in mid-rollout', () => {
    expect(summarize(status)).toEqual({ step: '2/7', weight: '10%', ready: '3/5', connections: 37 });
  });

  test('at rest there is no step and no weight, and the one revision is counted once', () => {
    expect(summarize({ ...status, updateRevision: stable })).toEqual({ ready: '3/4', connections: 35 });
  });

  test('the first installation takes no steps', () => {
    const { stableRevision: _none, ...installing } = status;
    expect(summarize(installing)).toEqual({ weight: '10%', ready: '3/5', connections: 37 });
  });

  test('sessions of an aborted revision are not counted twice', () => {
    expect(summarize({ ...status, draining: [{ ...draining, hash: 'b', sockets: 2 }] }).connections).toBe(33);
  });

  test('flags and chaos', () => {
    const flags = [{ feature: 'new-memory', rollout: 10, state: 'InSync' as const }];
    const chaos = { experiment: 'pod-kill', phase: 'Injecting' };
    expect(summarize({ ...status, flags, chaos })).toMatchObject({
      flag: 'new-memory=10%',
      chaos: 'pod-kill:Injecting',
    });
  });

  test('of nothing', () => {
    expect(summarize({})).toEqual({ ready: '0/0', connections: 0 });
  });
});
