// The invariants of docs/concepts/safety.md, watched on the real state of the simulated cluster: at every write, at every pod that goes, at every change of
// what the gateway does, and from moment to moment. (7 is killpoints.ts.)
import { type KubeObject, objectKey, type ObjectRef, type Pod, pods, resourceName } from '@assistant-platform/runtime';
import { assistantDeployments, type StoredAssistantDeployment } from '../../../operator/controller/resources.ts';
import type { Facts } from '../../../operator/rollout/facts.ts';
import { componentObjectName, DRAIN_DEADLINE, revisionObjectName } from '../../../operator/rollout/names.ts';
import { observedShare, routedComponents } from '../../../operator/rollout/routes.ts';
import { capacityFor } from '../../../operator/rollout/stages.ts';
import { readProgress, type Status } from '../../../operator/rollout/state.ts';
import { fromHttpRoute, httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import type { RouteIntent } from '../../../operator/rollout/snapshot.ts';
import type { Change } from '../server/server.ts';
import type { Cluster } from '../world/cluster.ts';
import { OPERATOR } from '../world/operator.ts';
import { ownedBy, truth } from './truth.ts';
import type { Weather } from './weather.ts';

export interface Violation {
  /** Number in docs/concepts/safety.md; 0: the operator itself failed. */
  readonly invariant: number;
  /** Since the world began, ms. */
  readonly at: number;
  readonly message: string;
}

/** How old the operator's knowledge may be: watch lag and the way of a request. */
const KNOWLEDGE_MS = 5000;
/** From a lost pod to routes without it, and back: start of a pod, watch lag, one verified route change. */
const RECOVERY_MS = 30_000;
/** One verified route change. */
const ROUTE_CHANGE_MS = 8000;
/** A request that is lost holds the operator up this long, and its next try may be put off. */
const TROUBLE_MS = 60_000;
/** Clocks of operators differ by so much at most. */
export const MAX_SKEW_MS = 250;
/** More writes than this in ten seconds: the operator does not come to rest. */
const WRITES_IN_10_S = 400;

const NOT_COUNTED = new Set(['leases.coordination.k8s.io', 'events.events.k8s.io']);

/** A write of the operator that is not a lease's or an Event's. */
export const isOperatorWrite = ({ by, resource }: Change): boolean => by === OPERATOR && !NOT_COUNTED.has(resource);

export class InvariantWatch {
  readonly violations: Violation[] = [];
  readonly weather: Weather;
  /** Writes of the operator so far. */
  writes = 0;
  readonly #cluster: Cluster;
  readonly #ref: ObjectRef;
  readonly #begun: number;
  readonly #writeTimes: number[] = [];

  constructor(cluster: Cluster, ref: ObjectRef, weather: Weather) {
    this.#cluster = cluster;
    this.#ref = ref;
    this.weather = weather;
    this.#begun = cluster.clock.now();
    cluster.server.onChange((change) => this.#changed(change));
    cluster.workloads.onRemoval = (pod) => this.#removed(pod);
  }

  report(invariant: number, message: string): void {
    this.violations.push({ invariant, at: this.#cluster.clock.now() - this.#begun, message });
  }

  #within(ms: number, since: number): boolean {
    return this.#cluster.clock.now() - since < ms;
  }

  #changed(change: Change): void {
    if (change.resource === resourceName(pods) && change.by === 'garbage-collector' && change.type !== 'ADDED') {
      const was = change.old?.metadata.deletionTimestamp === undefined;
      if (was) this.#removed(change.object);
    }
    if (!isOperatorWrite(change)) return;
    this.#countWrite();
    if (change.type === 'DELETED') return;
    if (change.resource === resourceName(httpRoutes)) this.#checkRoute(change.object, change.old);
    if (change.resource === resourceName(assistantDeployments))
      this.#checkStatus(change.object as StoredAssistantDeployment, change.old as StoredAssistantDeployment);
  }

  /** Invariant 8, in the small: it comes to rest. */
  #countWrite(): void {
    this.writes += 1;
    const now = this.#cluster.clock.now();
    this.#writeTimes.push(now);
    while (now - (this.#writeTimes[0] ?? now) > 10_000) this.#writeTimes.shift();
    if (this.#writeTimes.length !== WRITES_IN_10_S) return;
    this.report(8, `${WRITES_IN_10_S} writes within 10 s: it does not come to rest`);
  }

  /** Invariant 3. */
  #removed(pod: Pod): void {
    const { cluster, deadline } = { cluster: this.#cluster, deadline: this.#drainDeadline(pod) };
    const held = cluster.sessions.of(pod.metadata.uid ?? '');
    if (held === undefined) return;
    const over = deadline !== null && cluster.clock.now() >= deadline - MAX_SKEW_MS;
    const mayBeBack = this.#within(
      KNOWLEDGE_MS + this.weather.lagMs,
      this.weather.crashedAt.get(held.uid) ?? -Infinity,
    );
    if (over || mayBeBack) return;
    const what = `${pod.metadata.name} of ${held.component} ${held.revision}`;
    if (held.open > 0) this.report(3, `${what} is taken away with ${held.open} open sessions before its deadline`);
    if (!held.draining && this.#takesTraffic(held.uid))
      this.report(3, `${what} is taken away while traffic is sent to it`);
  }

  #drainDeadline(pod: Pod): number | null {
    const owner = pod.metadata.ownerReferences?.[0]?.name ?? '';
    const whole = [...this.#cluster.server.all()].find(
      ({ resource, object }) => resource === 'deployments.apps' && object.metadata.name === owner,
    )?.object;
    const times = [pod, whole].flatMap((object) => Date.parse(object?.metadata.annotations?.[DRAIN_DEADLINE] ?? ''));
    const known = times.filter((time) => !Number.isNaN(time));
    return known.length === 0 ? null : Math.min(...known);
  }

  #takesTraffic(uid: string): boolean {
    const { gateway } = this.#cluster;
    return gateway
      .routes()
      .some((route) =>
        gateway.shares(route).some((share) => share.weight > 0 && gateway.endpoints(share).includes(uid)),
      );
  }

  #intent(route: KubeObject | undefined): RouteIntent | null {
    if (route === undefined) return null;
    const component = route.metadata.labels?.['assistant-platform.io/component'] ?? '';
    return fromHttpRoute(this.#ref.name, component, route).intent;
  }

  /** Invariants 2 and 4, at every write of a route. */
  #checkRoute(route: KubeObject, old: KubeObject | undefined): void {
    const intent = this.#intent(route);
    if (intent === null) {
      this.report(2, `HTTPRoute ${route.metadata.name} cannot be read back`);
      return;
    }
    const { component, backends } = intent;
    const sum = backends.reduce((total, { weight }) => total + weight, 0);
    if (sum !== 100) this.report(2, `the weights of ${component} sum to ${sum}`);
    if (this.#cluster.server.find(assistantDeployments, this.#ref) === undefined) return;
    const f = truth(this.#cluster, this.#ref);
    if (!this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt)) this.#checkBackends(intent, f);
    const before = this.#intent(old);
    if (before !== null) this.#checkDirection(before, intent, f);
  }

  #checkBackends({ component, backends }: RouteIntent, f: Facts): void {
    const anywhere = backends.some(({ revision }) => f.unit(revision, component).available > 0);
    for (const { revision, weight } of backends)
      if (weight > 0 && anywhere && f.unit(revision, component).available === 0)
        this.report(2, `${component} gives ${weight} % to ${revision}, which has no available pods`);
  }

  #checkDirection(before: RouteIntent, after: RouteIntent, f: Facts): void {
    const p = f.progress;
    const hash = p.update?.hash;
    if (hash === undefined) return;
    const { component } = after;
    const share = (intent: RouteIntent): number =>
      intent.backends.find(({ revision }) => revision === hash)?.weight ?? 0;
    const lost = this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt);
    const edited = this.#within(KNOWLEDGE_MS + this.weather.lagMs, this.weather.editedAt);
    const needed = capacityFor(f.release, component, share(after));
    const stableUp = p.stable !== null && f.unit(p.stable.hash, component).available > 0;
    if (stableUp && share(after) > share(before) && !lost && !edited && f.unit(hash, component).available < needed)
      this.report(2, `${component}: ${share(after)} % for ${hash} with fewer than ${needed} available pods`);
    const leaving = f.target.kind === 'Known' && f.target.hash !== hash;
    const stableBack = share(before) === 100 && p.requested < 100;
    const excused = p.abort !== null || leaving || lost || edited || stableBack;
    if (share(after) < share(before) && !excused)
      this.report(4, `${component}: ${share(before)} % falls to ${share(after)} % while ${hash} goes forward`);
  }

  /** Invariants 5 and 10, at every write of the status. */
  #checkStatus(object: StoredAssistantDeployment, old: StoredAssistantDeployment): void {
    const status = (object.status ?? {}) as Status;
    const earlier = (old.status ?? {}) as Status;
    if (status === earlier || object.metadata.deletionTimestamp !== undefined) return;
    if (
      status.observedGeneration !== object.metadata.generation &&
      status.observedGeneration !== earlier.observedGeneration
    )
      this.report(10, `observedGeneration ${status.observedGeneration} of generation ${object.metadata.generation}`);
    const f = truth(this.#cluster, this.#ref, old);
    this.#checkReady(status, f);
    const [before, after] = [readProgress(earlier), readProgress(status)];
    const lowered = after.requested < before.requested;
    if (after.routed !== before.routed && after.update?.hash === before.update?.hash)
      this.#checkRouted(after.routed, lowered, f);
    const same = before.update?.hash === after.update?.hash && before.step?.stepsHash === after.step?.stepsHash;
    const completed = same && (after.step?.index ?? 0) > (before.step?.index ?? 0);
    if (
      completed &&
      !this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt) &&
      observedShare(before, f) === null
    )
      this.report(5, `step ${before.step?.index ?? 0} completed while the components carry different weights`);
  }

  #checkReady(status: Status, f: Facts): void {
    const stable = status.stableRevision?.hash;
    const ready = status.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
    if (!ready || stable === undefined) return;
    if (
      !this.#within(KNOWLEDGE_MS + this.weather.lagMs, this.weather.editedAt) &&
      (f.target.kind !== 'Known' || f.target.hash !== stable)
    )
      this.report(10, 'Ready, but the spec asks for another revision');
    if (this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt)) return;
    for (const component of f.components(stable)) {
      const shares = this.#shares(component).filter(({ weight }) => weight > 0);
      const own = revisionObjectName(this.#ref.name, component, stable);
      if (shares.length !== 1 || shares[0]?.service !== own)
        this.report(10, `Ready, but the traffic of ${component} goes to ${JSON.stringify(shares)}`);
      if (f.unit(stable, component).available === 0)
        this.report(10, `Ready, but ${component} of ${stable} has no available pod`);
    }
  }

  #checkRouted(routed: number, lowered: boolean, f: Facts): void {
    if (this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt)) return;
    const { update } = f.progress;
    for (const component of routedComponents(f.progress, f).both) {
      const own = revisionObjectName(this.#ref.name, component, update?.hash ?? '');
      const share = this.#shares(component).find(({ service }) => service === own)?.weight ?? 0;
      // On the way down it is an upper bound until the smaller share is verified.
      if (lowered ? share > routed : share !== routed)
        this.report(10, `routed ${routed} claimed, but ${component} really carries ${share}`);
    }
  }

  #shares(component: string) {
    const route = { namespace: this.#ref.namespace ?? '', name: componentObjectName(this.#ref.name, component) };
    return this.#cluster.gateway.shares(objectKey(route));
  }

  /** Invariants 1 and 6: what clients feel at this moment. */
  moment(): void {
    const { gateway, clock, server } = this.#cluster;
    if (gateway.stalled) this.weather.gatewayStalledAt = clock.now();
    const subject = server.find(assistantDeployments, this.#ref);
    if (subject === undefined || subject.metadata.deletionTimestamp !== undefined) return;
    const status = (subject.status ?? {}) as Status;
    if (!this.#within(RECOVERY_MS + this.weather.lagMs, this.weather.podLostAt)) this.#checkServed();
    this.#checkAbort(status);
  }

  #checkServed(): void {
    const { gateway } = this.#cluster;
    for (const route of gateway.routes())
      for (const share of gateway.shares(route))
        if (share.weight > 0 && gateway.endpoints(share).length === 0)
          this.report(1, `${route} sends ${share.weight} % to ${share.service}, where nobody answers`);
  }

  #checkAbort({ abort, updateRevision, stableRevision }: Status): void {
    if (abort === undefined || updateRevision === undefined || stableRevision === undefined) return;
    const { weather } = this;
    const excused =
      this.#within(ROUTE_CHANGE_MS, Math.max(Date.parse(abort.at), weather.gatewayStalledAt)) ||
      this.#within(TROUBLE_MS + weather.lagMs, weather.operatorTroubledAt) ||
      this.#within(RECOVERY_MS + weather.lagMs, weather.podLostAt);
    if (excused) return;
    for (const route of this.#cluster.gateway.routes()) {
      const shares = this.#cluster.gateway.shares(route);
      const hasStable = shares.some(({ service }) => service.endsWith(stableRevision.hash));
      const left = shares.find(({ service }) => service.endsWith(updateRevision.hash))?.weight ?? 0;
      if (hasStable && left > 0) this.report(6, `${route} still gives ${left} % to the aborted ${updateRevision.hash}`);
    }
  }

  /** Invariant 9, when the subject is gone. */
  checkLeftovers(): void {
    for (const { resource, object } of this.#cluster.server.all()) {
      const ours = object.metadata.labels?.['assistant-platform.io/name'] === this.#ref.name;
      const isSubject = resource === resourceName(assistantDeployments) && object.metadata.name === this.#ref.name;
      if (ours || isSubject) this.report(9, `${resource} ${object.metadata.name} is left behind`);
    }
  }

  /** Pods by component, revision and readiness, for people and for comparisons. */
  pods(): string[] {
    return ownedBy(this.#cluster, pods, this.#ref)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(
        ({ metadata }) =>
          `${metadata.labels?.['assistant-platform.io/component']} ${metadata.labels?.['assistant-platform.io/revision']}`,
      )
      .sort();
  }
}
