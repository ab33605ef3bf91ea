// A gateway that lags, as gateways do: the status of a route is written first, traffic follows later. While it is stalled it accepts nothing; what it
// has accepted it carries out in time: that is what the operator's settle time relies on.
import { type Clock, endpointSlices, objectKey, resourceName } from '@assistant-platform/runtime';
import { type HttpRoute, httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import type { ApiServer } from '../server/server.ts';
import { SERVICE_NAME } from './endpoints.ts';
import type { Timing } from './timing.ts';

/** A Service and its share of a route's traffic. */
export interface TrafficShare {
  readonly service: string;
  readonly namespace: string;
  readonly weight: number;
}

const BY = 'gateway';

export class Gateway {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #traffic = new Map<string, readonly TrafficShare[]>();
  readonly #held: (() => void)[] = [];
  #stalled = false;
  /** Told of every change of what the gateway really does. */
  onTraffic: (route: string) => void = () => undefined;

  constructor(server: ApiServer, clock: Clock, timing: Timing) {
    this.#server = server;
    this.#clock = clock;
    this.#timing = timing;
    server.onChange(({ resource, type, object, old }) => {
      if (resource !== resourceName(httpRoutes)) return;
      const ref = object.metadata;
      if (type === 'DELETED') this.#later(timing.moveMs, () => this.#remove(ref.namespace ?? '', ref.name));
      else if (object.metadata.generation !== old?.metadata.generation)
        this.#unlessStalled(timing.acceptMs, () => this.#accept(ref.namespace ?? '', ref.name));
    });
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** See the head of the file. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    if (!stalled) for (const work of this.#held.splice(0)) work();
  }

  /** Names (`namespace/name`) of the routes that carry traffic. */
  routes(): string[] {
    return [...this.#traffic.keys()].sort();
  }

  /** What a route really does now. */
  shares(route: string): readonly TrafficShare[] {
    return this.#traffic.get(route) ?? [];
  }

  /** The backend that a request goes to. @param dice in [0, 1). */
  choose(route: string, dice: number): TrafficShare | undefined {
    const shares = this.shares(route);
    let left = dice * shares.reduce((sum, { weight }) => sum + weight, 0);
    for (const share of shares) {
      left -= share.weight;
      if (left < 0) return share;
    }
    return undefined;
  }

  /** Uids of the pods that it sends a backend's traffic to. */
  endpoints({ service, namespace }: TrafficShare): string[] {
    return this.#server
      .list(endpointSlices)
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[SERVICE_NAME] === service)
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter(({ conditions }) => conditions?.ready === true)
      .flatMap(({ targetRef }) => targetRef?.uid ?? []);
  }

  #later(ms: number, work: () => void): void {
    this.#clock.timer(ms, work);
  }

  #unlessStalled(ms: number, work: () => void): void {
    this.#clock.timer(ms, () => {
      if (this.#stalled) this.#held.push(work);
      else work();
    });
  }

  #accept(namespace: string, name: string): void {
    const route = this.#server.find(httpRoutes, { namespace, name });
    if (route === undefined) return;
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      lastTransitionTime: new Date(this.#clock.now()).toISOString(),
      observedGeneration: route.metadata.generation,
    }));
    const parents = (route.spec?.parentRefs ?? []).map((parentRef) => ({
      parentRef,
      controllerName: 'simulated',
      conditions,
    }));
    this.#server.patch(httpRoutes, { namespace, name }, { status: { parents } }, { by: BY, subresource: 'status' });
    this.#later(this.#timing.moveMs, () => this.#move(route));
  }

  /** Traffic follows the route as it was when it was accepted, unless a newer one is followed already. */
  #move(route: HttpRoute): void {
    const { namespace = '', name, uid } = route.metadata;
    const live = this.#server.find(httpRoutes, { namespace, name });
    if (live?.metadata.uid !== uid) return;
    const key = objectKey(route.metadata);
    const refs = route.spec?.rules?.at(-1)?.backendRefs ?? [];
    this.#traffic.set(
      key,
      refs.map(({ name: service, weight = 1 }) => ({ service, namespace, weight })),
    );
    this.onTraffic(key);
  }

  #remove(namespace: string, name: string): void {
    if (this.#server.find(httpRoutes, { namespace, name }) !== undefined) return;
    this.#traffic.delete(`${namespace}/${name}`);
    this.onTraffic(`${namespace}/${name}`);
  }
}
