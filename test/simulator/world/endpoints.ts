// The EndpointSlice controller: the pods behind each Service, a moment after they change.
import {
  type Clock,
  controllerReference,
  endpointSlices,
  type Pod,
  pods,
  resourceName,
  type Service,
  services,
} from '@assistant-platform/runtime';
import type { ApiServer } from '../server/server.ts';
import type { Timing } from './timing.ts';
import { isReady } from './workloads.ts';

const BY = 'endpointslice-controller';
export const SERVICE_NAME = 'kubernetes.io/service-name';

export class EndpointsController {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #pending = new Set<string>();

  constructor(server: ApiServer, clock: Clock, timing: Timing) {
    this.#server = server;
    this.#clock = clock;
    this.#timing = timing;
    server.onChange(({ resource, type, object }) => {
      if (resource === resourceName(services) && type !== 'DELETED') this.#soon(object);
      if (resource !== resourceName(pods)) return;
      for (const service of server.list(services)) if (selects(service, object)) this.#soon(service);
    });
  }

  #soon({ metadata: { name, namespace = '' } }: Service): void {
    const key = `${namespace}/${name}`;
    if (this.#pending.has(key)) return;
    this.#pending.add(key);
    this.#clock.timer(this.#timing.endpointsMs, () => {
      this.#pending.delete(key);
      const service = this.#server.find(services, { namespace, name });
      if (service !== undefined) this.#sync(service);
    });
  }

  #sync(service: Service): void {
    const { name, namespace } = service.metadata;
    const behind = this.#server.list(pods).filter((pod) => selects(service, pod) && pod.status?.podIP !== undefined);
    const content = {
      addressType: 'IPv4',
      ports: service.spec?.ports?.map(({ name: port, port: number, protocol }) => ({
        name: port,
        port: number,
        protocol,
      })),
      endpoints: behind.map((pod) => {
        const terminating = pod.metadata.deletionTimestamp !== undefined;
        return {
          addresses: [pod.status?.podIP],
          conditions: { ready: isReady(pod) && !terminating, serving: isReady(pod), terminating },
          targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
        };
      }),
    };
    const ref = { name: `${name}-slice`, namespace: namespace ?? '' };
    const existing = this.#server.find(endpointSlices, ref);
    if (existing !== undefined && existing.metadata.ownerReferences?.[0]?.uid === service.metadata.uid) {
      this.#server.patch(endpointSlices, ref, content, { by: BY });
      return;
    }
    if (existing !== undefined) this.#server.delete(endpointSlices, ref, { by: BY });
    const labels = { ...service.metadata.labels, [SERVICE_NAME]: name, 'endpointslice.kubernetes.io/managed-by': BY };
    const metadata = { ...ref, labels, ownerReferences: [controllerReference(service)] };
    this.#server.create(endpointSlices, { ...content, metadata }, { by: BY });
  }
}

function selects(service: Service, pod: Pod): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  const { labels = {}, namespace } = pod.metadata;
  return (
    selector.length > 0 &&
    namespace === service.metadata.namespace &&
    selector.every(([key, value]) => labels[key] === value)
  );
}
