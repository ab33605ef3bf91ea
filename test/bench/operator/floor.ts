// What the API server and the workload controllers need by themselves to replace so many pods, each set behind a Service and a disruption budget: plain
// Deployments in their rolling update, a fifth at a time as canaries of four weights do it. Whoever releases more carefully cannot be faster.
import {
  type Api,
  type Deployment,
  deployments,
  Informer,
  podDisruptionBudgets,
  pods,
  services,
} from '@assistant-platform/runtime';
import { inParallel } from '../../in-parallel.ts';
import { eventually } from '../../servers/child-process.ts';
import { namespaceOf } from './assistants.ts';
import { AT_A_TIME } from './world.ts';

export interface Floor {
  readonly api: Api;
  /** Deployments, and pods of each. */
  readonly count: number;
  readonly replicas: number;
  readonly timeoutMs: number;
}

/** @returns milliseconds from the first new template to the last pod replaced. */
export async function measureFloor(floor: Floor): Promise<number> {
  const { api, timeoutMs } = floor;
  const names = Array.from({ length: floor.count }, (_, index) => `floor-${index}`);
  const stop = new AbortController();
  const informer = new Informer({ api, type: deployments, labelSelector: 'floor' });
  const running = informer.run(stop.signal);
  const roll = async (version: string): Promise<void> => {
    await inParallel(names, AT_A_TIME, (name) => api.apply(deployments, deployment(floor, name, version)));
    await eventually(
      'the plain Deployments rolled out',
      () => names.every((name) => isRolledOut(informer.get(at(name)), version)),
      timeoutMs,
    );
  };
  try {
    await informer.whenSynced();
    await inParallel(names, AT_A_TIME, async (name) => {
      const [metadata, selector] = [at(name), { floor: name }];
      await api.create(services, { metadata, spec: { selector, ports: [{ port: 8080 }] } });
      await api.create(podDisruptionBudgets, {
        metadata,
        spec: { selector: { matchLabels: selector }, maxUnavailable: 1 },
      });
    });
    await roll('1.0.0');
    const begun = Date.now();
    await roll('2.0.0');
    return Date.now() - begun;
  } finally {
    stop.abort();
    await running;
    await inParallel(names, AT_A_TIME, (name) =>
      Promise.all([
        api.delete(deployments, at(name), { propagationPolicy: 'Background' }),
        api.delete(services, at(name)),
        api.delete(podDisruptionBudgets, at(name)),
      ]),
    );
    await eventually(
      'the plain Deployments gone',
      async () => (await api.list(pods, { labelSelector: 'floor' })).items.length === 0,
      timeoutMs,
    );
  }
}

const at = (name: string) => ({ namespace: namespaceOf(name), name });

const deployment = ({ replicas }: Floor, name: string, version: string) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...at(name), labels: { floor: name } } },
  spec: {
    replicas,
    selector: { matchLabels: { floor: name } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '20%', maxUnavailable: 0 } },
    template: {
      metadata: { labels: { floor: name } },
      spec: { containers: [{ name: 'chat', image: `localhost/assistant/chat:${version}` }] },
    },
  },
});

function isRolledOut(found: Deployment | undefined, version: string): boolean {
  if (found === undefined) return false;
  const { metadata, spec, status = {} } = found;
  return (
    spec?.template.spec?.containers[0]?.image?.endsWith(version) === true &&
    status.observedGeneration === metadata.generation &&
    [status.replicas, status.updatedReplicas, status.availableReplicas].every((each) => each === spec.replicas)
  );
}
