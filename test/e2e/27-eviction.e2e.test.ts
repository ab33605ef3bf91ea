// Pods are evicted from under open sockets, as `kubectl drain` does for each pod of a node: their people are moved, nothing is lost, and the
// PodDisruptionBudget lets one go at a time.
import { ApiException, CoreV1Api, KubeConfig, V1Eviction, V1ObjectMeta } from '@kubernetes/client-node';
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

/** What `kubectl drain` asks for, which minds the PodDisruptionBudget. @returns null, or with which words it was refused for now (429). */
async function evict(pod: string): Promise<string | null> {
  const { kubeconfig, context } = inject('where');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  config.setCurrentContext(context);
  try {
    await config.makeApiClient(CoreV1Api).createNamespacedPodEviction({
      namespace: 'assistants',
      name: pod,
      body: Object.assign(new V1Eviction(), { metadata: Object.assign(new V1ObjectMeta(), { name: pod }) }),
    });
    return null;
  } catch (error) {
    if (error instanceof ApiException && error.code === 429) return JSON.stringify(error.body);
    throw error;
  }
}

describe('realtime pods that are evicted', () => {
  it('[R-304, R-306, R-307] are left by their people in good order, one after the other, and nothing that was acknowledged is lost', async () => {
    const { gateway } = inject('where');
    const random = seeded(9);
    const crowd = new Crowd({
      ...{ gateway, people: 100, meanPauseMs: 5_000, questions: questions(random), random },
      run: `evict-${Date.now()}`,
    });
    await crowd.connect();
    crowd.talk();
    const before = await realtimePods();
    expect(before.length).toBeGreaterThan(1);
    const [first = '', second = ''] = before;
    const connected = await socketsOn(before);
    const open = await socketsOn([first]);
    expect(open).toBeGreaterThan(0);
    expect(await evict(first)).toBeNull();
    expect(await evict(second)).toContain('disruption budget');
    await gone(first, before.length);
    await eventually(
      'everybody is connected again',
      60,
      async () => (await socketsOn(await realtimePods())) === connected,
    );
    const openOnSecond = await socketsOn([second]);
    expect(openOnSecond).toBeGreaterThan(0);
    // The budget hears of the new pod a moment after it is ready.
    await eventually(`the budget lets ${second} go`, 60, async () => (await evict(second)) === null);
    await gone(second, before.length);
    await crowd.quiet();
    const { sockets } = crowd.counts();
    const messages = await crowd.audit();
    expect(sockets).toMatchObject({ moved: open + openOnSecond, broken: 0, notRecovered: 0 });
    expect(messages).toMatchObject({ lost: 0, duplicated: 0 });
    expect(messages.acknowledged).toBeGreaterThan(50);
    await eventually('all is well again', 60, async () => (await demo().read()).status?.phase === 'Healthy');
  });
});

async function gone(pod: string, pods: number): Promise<void> {
  await eventually(`${pod} is gone`, 120, async () => !(await exists(pod)));
  await eventually('another pod is in its place', 60, async () => (await realtimePods()).length === pods);
}

/** Open sockets, as the pods themselves count them. */
async function socketsOn(pods: readonly string[]): Promise<number> {
  let open = 0;
  for (const pod of pods) {
    const answer = await kubectl('get', '--raw', `/api/v1/namespaces/assistants/pods/${pod}:9090/proxy/sessions`);
    open += (JSON.parse(answer) as { open: number }).open;
  }
  return open;
}
