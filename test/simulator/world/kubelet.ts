// The scheduler and the kubelet: pods are scheduled, start, become ready, are probed, and end. What runs inside is world/sessions.ts.
import { type Clock, type Pod, pods, resourceName } from '@assistant-platform/runtime';
import type { ApiServer } from '../server/server.ts';
import type { Sessions } from './sessions.ts';
import type { Timing } from './timing.ts';
import { isReady } from './workloads.ts';

const BY = 'kubelet';

export class Kubelet {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #sessions: Sessions;
  #addresses = 0;
  /** Images that cannot be pulled. */
  readonly brokenImages = new Set<string>();

  constructor(server: ApiServer, clock: Clock, timing: Timing, sessions: Sessions) {
    this.#server = server;
    this.#clock = clock;
    this.#timing = timing;
    this.#sessions = sessions;
    sessions.onReadiness = (uid) => this.#clock.timer(timing.probeMs, () => this.#probe(uid));
    server.onChange(({ resource, type, object, old }) => {
      if (resource !== resourceName(pods)) return;
      if (type === 'ADDED') this.#begin(object);
      const marked = object.metadata.deletionTimestamp !== undefined && old?.metadata.deletionTimestamp === undefined;
      if (type === 'MODIFIED' && marked) this.#end(object, timing.stopMs);
      if (type === 'DELETED') this.#sessions.gone(object.metadata.uid ?? '');
    });
  }

  /** The pod's node is lost, or the pod is out of memory and replaced: it ends at once, whoever is on it. */
  kill(pod: Pod): void {
    this.#sessions.gone(pod.metadata.uid ?? '');
    this.#server.finishDeletion(pods, pod.metadata, 'node-controller');
  }

  /** The container crashes: everybody on it is cut off, and it starts again. */
  crash(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#sessions.gone(uid);
    this.#status(uid, (now) => ({
      ...runningStatus(pod, now, pod.status?.podIP ?? '', false),
      containerStatuses: [
        containerStatus(pod, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting' } }),
      ],
    }));
    this.#clock.timer(this.#timing.startMs, () => this.#run(uid));
  }

  #begin(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#clock.timer(this.#timing.scheduleMs, () => {
      const live = this.#find(uid);
      if (live === undefined) return;
      this.#server.patch(pods, live.metadata, { spec: { nodeName: 'node-1' } }, { by: 'scheduler' });
      this.#status(uid, (now) => pendingStatus(live, now, this.#isBroken(live)));
    });
    this.#clock.timer(this.#timing.startMs, () => this.#run(uid));
  }

  #run(uid: string): void {
    const pod = this.#find(uid);
    if (pod === undefined || this.#isBroken(pod)) return;
    this.#addresses += 1;
    const address = pod.status?.podIP ?? `198.18.${this.#addresses >> 8}.${this.#addresses & 255}`;
    this.#sessions.started(uid, pod);
    this.#status(uid, (now) => runningStatus(pod, now, address, false));
    this.#clock.timer(this.#timing.readyMs - this.#timing.startMs, () => this.#probe(uid));
  }

  /** Writes the readiness that the pod has now. */
  #probe(uid: string): void {
    const pod = this.#find(uid);
    if (pod?.status?.phase !== 'Running' || !this.#sessions.isRunning(uid)) return;
    const ready = this.#sessions.isReady(uid);
    if (ready !== isReady(pod)) this.#status(uid, (now) => runningStatus(pod, now, pod.status?.podIP ?? '', ready));
  }

  #end(pod: Pod, afterMs: number): void {
    const { uid = '' } = pod.metadata;
    this.#clock.timer(afterMs, () => {
      this.#sessions.gone(uid);
      if (this.#find(uid) !== undefined) this.#server.finishDeletion(pods, pod.metadata, BY);
    });
  }

  #isBroken(pod: Pod): boolean {
    return pod.spec?.containers.some(({ image = '' }) => this.brokenImages.has(image)) ?? false;
  }

  #find(uid: string): Pod | undefined {
    return this.#server.list(pods).find(({ metadata }) => metadata.uid === uid);
  }

  #status(uid: string, make: (now: string) => object): void {
    const pod = this.#find(uid);
    if (pod === undefined) return;
    const now = new Date(this.#clock.now()).toISOString();
    this.#server.patch(pods, pod.metadata, { status: make(now) }, { by: BY, subresource: 'status' });
  }
}

type State = Record<string, object>;

const containerStatus = (pod: Pod, state: State, ready = false): object => ({
  name: pod.spec?.containers[0]?.name ?? 'main',
  image: pod.spec?.containers[0]?.image ?? '',
  ready,
  restartCount: 0,
  state,
});

const condition = (type: string, holds: boolean, now: string): object => ({
  type,
  status: holds ? 'True' : 'False',
  lastTransitionTime: now,
});

const pendingStatus = (pod: Pod, now: string, broken: boolean): object => ({
  phase: 'Pending',
  conditions: [condition('PodScheduled', true, now), condition('Ready', false, now)],
  containerStatuses: [
    containerStatus(pod, {
      waiting: broken
        ? { reason: 'ImagePullBackOff', message: 'Back-off pulling image' }
        : { reason: 'ContainerCreating' },
    }),
  ],
});

const runningStatus = (pod: Pod, now: string, podIP: string, ready: boolean): object => ({
  phase: 'Running',
  podIP,
  conditions: [condition('PodScheduled', true, now), condition('Ready', ready, now)],
  containerStatuses: [containerStatus(pod, { running: { startedAt: now } }, ready)],
});
