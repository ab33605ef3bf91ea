// A fixture, not a gateway: it accepts HTTPRoutes some time after they were written and lets "traffic" follow later still, as gateways do.
// It moves no packet. What it would do with them is in `traffic`, and every change of that is noted with its time.
import { type Api, Informer, resourceType, type KubeObject } from '@assistant-platform/runtime';

interface Parent {
  name: string;
  namespace?: string;
}

interface Route extends KubeObject {
  spec: { parentRefs?: Parent[]; rules?: { backendRefs?: { name: string; weight?: number }[] }[] };
  status?: object;
}

const httpRoutes = resourceType<Route>('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes');

/** Backends with a weight above 0, of the rule that splits by weight (the last one): Service name -> weight. */
export type Split = Readonly<Record<string, number>>;

export interface TrafficChange {
  readonly at: number;
  readonly route: string;
  readonly split: Split;
}

export interface GatewayLags {
  /** From a write to the acceptance, and from the acceptance to moved traffic; milliseconds. */
  readonly acceptMs: number;
  readonly moveMs: number;
}

export class GatewayStatus {
  readonly traffic = new Map<string, Split>();
  readonly changes: TrafficChange[] = [];
  readonly errors: unknown[] = [];
  readonly #api: Api;
  readonly #lags: GatewayLags;
  readonly #informer: Informer<Route>;
  readonly #stop = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #running: Promise<void> = Promise.resolve();

  /** @param namespaces whose routes it accepts; 'All' */
  constructor(api: Api, namespaces: readonly string[] | 'All', lags: GatewayLags) {
    this.#api = api;
    this.#lags = lags;
    this.#informer = new Informer<Route>({ api, type: httpRoutes, ...(namespaces === 'All' ? {} : { namespaces }) });
  }

  start(): void {
    this.#informer.addHandler((change) => {
      if (change.type === 'Deleted')
        this.#later(this.#lags.moveMs, () => this.traffic.delete(change.object.metadata.name));
      else if (change.type === 'Added' || change.old.metadata.generation !== change.object.metadata.generation)
        this.#accept(change.object);
    });
    this.#running = this.#informer.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#running;
  }

  #later(ms: number, work: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      try {
        Promise.resolve(work()).catch((error: unknown) => this.errors.push(error));
      } catch (error) {
        this.errors.push(error);
      }
    }, ms);
    this.#timers.add(timer);
  }

  #accept(route: Route): void {
    this.#later(this.#lags.acceptMs, async () => {
      await this.#writeStatus(route);
      this.#later(this.#lags.moveMs, () => this.#move(route));
    });
  }

  async #writeStatus(route: Route): Promise<void> {
    const now = new Date().toISOString();
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      lastTransitionTime: now,
      observedGeneration: route.metadata.generation ?? 0,
    }));
    const { name, namespace = '' } = route.metadata;
    const parents = (route.spec.parentRefs ?? []).map((parentRef) => ({
      parentRef,
      controllerName: 'test.example/fixture',
      conditions,
    }));
    if (this.#stop.signal.aborted || this.#informer.get({ name, namespace }) === undefined) return;
    await this.#api.patch(httpRoutes, { name, namespace }, { status: { parents } }, { subresource: 'status' });
  }

  #move(route: Route): void {
    const { name } = route.metadata;
    const refs = route.spec.rules?.at(-1)?.backendRefs ?? [];
    const split = Object.fromEntries(
      refs.filter(({ weight = 1 }) => weight > 0).map((ref) => [ref.name, ref.weight ?? 1]),
    );
    if (JSON.stringify(this.traffic.get(name)) === JSON.stringify(split)) return;
    this.traffic.set(name, split);
    this.changes.push({ at: Date.now(), route: name, split });
  }
}
