// What runs in the pods: open sessions, told to drain or not, that come by the gateway's traffic and leave by themselves or by the drain.
import { LABELS } from '@assistant-platform/api';
import type { Clock, Pod } from '@assistant-platform/runtime';
import type { Chance } from '../random.ts';
import type { Gateway } from './gateway.ts';
import type { Timing } from './timing.ts';

export interface PodSessions {
  readonly uid: string;
  readonly component: string;
  readonly revision: string;
  readonly image: string;
  open: number;
  busy: number;
  draining: boolean;
}

/** More open sessions than this a component does not get. */
const AT_MOST = 16;

export class Sessions {
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #chance: Chance;
  readonly #pods = new Map<string, PodSessions>();
  /** The kubelet probes a pod whose readiness changed. */
  onReadiness: (uid: string) => void = () => undefined;
  /** People whose sessions never end by themselves: only the deadline ends them. */
  stubborn = false;
  /** Sessions that found nobody to take them, by route; since the world began. */
  refused = 0;
  opened = 0;

  constructor(clock: Clock, timing: Timing, chance: Chance) {
    this.#clock = clock;
    this.#timing = timing;
    this.#chance = chance;
  }

  of(uid: string): PodSessions | undefined {
    return this.#pods.get(uid);
  }

  isRunning(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** `GET /readyz`: false while draining. */
  isReady(uid: string): boolean {
    const pod = this.#pods.get(uid);
    return pod !== undefined && !pod.draining;
  }

  started(uid: string, pod: Pod): void {
    const labels = pod.metadata.labels ?? {};
    const [component = '', revision = ''] = [labels[LABELS.component], labels[LABELS.revision]];
    const image = pod.spec?.containers[0]?.image ?? '';
    this.#pods.set(uid, { uid, component, revision, image, open: 0, busy: 0, draining: false });
  }

  /** The pod has ended, with everybody on it. */
  gone(uid: string): void {
    this.#pods.delete(uid);
  }

  /** `POST /drain`. Told again it changes nothing. */
  drain(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.draining) return;
    pod.draining = true;
    this.onReadiness(uid);
    const leave = (): void => {
      const still = this.#pods.get(uid);
      if (still !== pod || !pod.draining) return;
      if (pod.open > 0 && !this.stubborn) {
        pod.open -= 1;
        pod.busy = Math.min(pod.busy, pod.open);
      }
      this.#clock.timer(this.#timing.leaveEveryMs, leave);
    };
    this.#clock.timer(this.#timing.leaveEveryMs, leave);
  }

  /** People come by the gateway, for as long as the world goes. */
  welcome(gateway: Gateway): void {
    const arrive = (): void => {
      for (const route of gateway.routes()) this.#arrive(gateway, route);
      this.#clock.timer(this.#timing.arriveEveryMs, arrive);
    };
    this.#clock.timer(this.#timing.arriveEveryMs, arrive);
  }

  #arrive(gateway: Gateway, route: string): void {
    const backend = gateway.choose(route, this.#chance.next());
    if (backend === undefined) return;
    const taking = gateway.endpoints(backend).flatMap((uid) => this.#pods.get(uid) ?? []);
    const willing = taking.filter(({ draining }) => !draining);
    if (willing.length === 0) {
      this.refused += 1;
      return;
    }
    this.opened += 1;
    const pod = this.#chance.pick(willing);
    const all = [...this.#pods.values()].filter(({ component }) => component === pod.component);
    // When it is full, as many leave as come.
    if (all.reduce((sum, { open }) => sum + open, 0) < AT_MOST) pod.open += 1;
    pod.busy = Math.min(1, pod.open);
  }
}
