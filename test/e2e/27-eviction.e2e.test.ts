// A pod is evicted from under open sockets, as `kubectl drain` does for each pod of a node: its people are moved, and nothing is lost.
import { CoreV1Api, KubeConfig, V1Eviction, V1ObjectMeta } from '@kubernetes/client-node';
import { describe, expect, inject, it } from 'vitest';
import { Crowd } from '../demo/crowd.ts';
import { questions, seeded } from '../demo/questions.ts';
import { demo, eventually, kubectl } from './access.ts';

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly deletionTimestamp?: string } }[];
}

async function realtimePods(): Promise<string[]> {
  const of = 'assistant-platform.io/name=demo,assistant-platform.io/component=realtime';
  const { items } = JSON.parse(await kubectl('get', 'pods', '-n', 'assistants', '-l', of, '-o', 'json')) as PodList;
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
}

const exists = async (pod: string): Promise<boolean> =>
  (await kubectl('get', 'pod', pod, '-n', 'assistants', '--ignore-not-found', '-o', 'name')) !== '';

/** What `kubectl drain` asks for, which minds the PodDisruptionBudget. */
async function evict(pod: string): Promise<void> {
  const { kubeconfig, context } = inject('where');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext(context);
  await config.makeApiClient(CoreV1Api).createNamespacedPodEviction({
    namespace: 'assistants',
    name: pod,
    body: Object.assign(new V1Eviction(), { metadata: Object.assign(new V1ObjectMeta(), { name: pod }) }),
  });
}

describe('a realtime pod that is evicted', () => {
  it('[R-304, R-306, R-307] is left by its people in good order, and nothing that was acknowledged is lost', async () => {
    const { gateway } = inject('where');
    const random = seeded(9);
    const crowd = new Crowd({
      ...{ gateway, people: 100, meanPauseMs: 5_000, questions: questions(random), random },
      run: `evict-${Date.now()}`,
    });
    await crowd.connect();
    crowd.talk();
    const before = await realtimePods();
    const [pod = ''] = before;
    const open = await socketsOn(pod);
    expect(open).toBeGreaterThan(0);
    await evict(pod);
    await eventually(`${pod} is gone`, 120, async () => !(await exists(pod)));
    await eventually('another pod is in its place', 60, async () => (await realtimePods()).length === before.length);
    await crowd.quiet();
    const { sockets } = crowd.counts();
    const messages = await crowd.audit();
    expect(sockets).toMatchObject({ moved: open, broken: 0, notRecovered: 0 });
    expect(messages).toMatchObject({ lost: 0, duplicated: 0 });
    expect(messages.acknowledged).toBeGreaterThan(50);
    const { status } = await demo().read();
    expect(status).toMatchObject({ phase: 'Healthy' });
  });
});

/** Open sockets, as the pod itself counts them. */
async function socketsOn(pod: string): Promise<number> {
  const answer = await kubectl('get', '--raw', `/api/v1/namespaces/assistants/pods/${pod}:9090/proxy/sessions`);
  return (JSON.parse(answer) as { open: number }).open;
}
