// What the operator relies on from the controllers around the API server: Deployments have their pods, EndpointSlices name them, the right pods
// go first. As contract.ts, for the simulated controllers and the real ones (with kwok in place of the kubelet).
import {
  type Deployment,
  deployments,
  endpointSlices,
  type EndpointSlice,
  type Pod,
  pods,
  services,
} from '@assistant-platform/runtime';
import { describe, expect, it } from 'vitest';
import type { ContractTarget, WithTarget } from './contract.ts';

const labels = { app: 'web' };

const deployment = (namespace: string, replicas: number) => ({
  metadata: { namespace, name: 'web', labels },
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels: { ...labels, 'example.com/own': 'kept' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'localhost/web:1' }] },
    },
  },
});

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** The suite. */
export function describeWorkloadContract(name: string, withTarget: WithTarget): void {
  const check = (title: string, test: (target: ContractTarget) => Promise<void>): void =>
    it(title, () => withTarget(test));

  describe(`${name}: Deployments, pods and endpoints`, () => {
    check(
      'a Deployment gets its pods, with the labels of its template; they become ready; fewer replicas, fewer pods',
      async ({ client, namespace, eventually }) => {
        const api = client('operator');
        const live = async (): Promise<Pod[]> =>
          (await api.list(pods, { namespace, labelSelector: 'app=web' })).items.filter(
            ({ metadata }) => metadata.deletionTimestamp === undefined,
          );
        await api.create(deployments, deployment(namespace, 3));
        await eventually('three ready pods', async () => (await live()).filter(isReady).length === 3);
        const [pod] = await live();
        expect(pod?.metadata.labels).toMatchObject({ app: 'web', 'example.com/own': 'kept' });
        expect(pod?.status?.phase).toBe('Running');
        expect(pod?.status?.podIP).toBeDefined();
        expect(pod?.status?.containerStatuses?.[0]?.state?.running).toBeDefined();
        await api.patch(deployments, { namespace, name: 'web' }, { spec: { replicas: 1 } });
        await eventually('one pod', async () => (await live()).length === 1);
      },
    );

    check(
      'the status of a Deployment is written by its controller: its version moves on without us',
      async ({ client, namespace, eventually }) => {
        const api = client('operator');
        const made: Deployment = await api.create(deployments, deployment(namespace, 1));
        const read = (): Promise<Deployment> => api.get(deployments, { namespace, name: 'web' });
        await eventually('a ready replica in the status', async () => (await read()).status?.readyReplicas === 1);
        const now = await read();
        expect(Number(now.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
        expect([now.metadata.generation, now.status?.observedGeneration]).toEqual([1, 1]);
      },
    );

    check('the pod with the lower deletion cost goes first', async ({ client, namespace, eventually }) => {
      const api = client('operator');
      const live = async (): Promise<Pod[]> =>
        (await api.list(pods, { namespace, labelSelector: 'app=web' })).items.filter(
          ({ metadata }) => metadata.deletionTimestamp === undefined,
        );
      await api.create(deployments, deployment(namespace, 3));
      await eventually('three ready pods', async () => (await live()).filter(isReady).length === 3);
      const chosen = (await live())[1]?.metadata.name ?? '';
      const cost = { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1000' } } };
      await api.patch(pods, { namespace, name: chosen }, cost);
      await api.patch(deployments, { namespace, name: 'web' }, { spec: { replicas: 2 } });
      await eventually('two pods', async () => (await live()).length === 2);
      expect((await live()).map(({ metadata }) => metadata.name)).not.toContain(chosen);
    });

    check(
      'the slices of a Service carry its labels, its name and the uids of its ready pods',
      async ({ client, namespace, eventually }) => {
        const api = client('operator');
        const metadata = { namespace, name: 'web', labels: { 'example.com/of': 'us' } };
        await api.create(services, {
          metadata,
          spec: { selector: labels, ports: [{ name: 'http', port: 80 }] },
        });
        await api.create(deployments, deployment(namespace, 2));
        const slices = async (): Promise<EndpointSlice[]> =>
          (await api.list(endpointSlices, { namespace, labelSelector: 'example.com/of=us' })).items;
        const ready = async (): Promise<string[]> =>
          (await slices())
            .flatMap(({ endpoints = [] }) => endpoints)
            .filter(({ conditions }) => conditions?.ready === true)
            .flatMap(({ targetRef }) => targetRef?.uid ?? []);
        await eventually('two ready endpoints', async () => (await ready()).length === 2);
        expect((await slices()).map((slice) => slice.metadata.labels?.['kubernetes.io/service-name'])).toContain('web');
        const { items } = await api.list(pods, { namespace, labelSelector: 'app=web' });
        expect((await ready()).sort()).toEqual(items.map((pod) => pod.metadata.uid).sort());
        await api.delete(services, { namespace, name: 'web' });
        await eventually('the slices go with the Service', async () => (await slices()).length === 0);
      },
    );
  });
}
