// A small model of a cluster for tests: workload controllers, pods with sockets, a gateway that lags, a clock. It does what the real ones do as far as
// the decision can see, and carries out plans write by write, so that a test may stop in the middle. Deterministic: time moves only by advance().
import {
  isActiveReplica,
  observedPod,
  observedRoute,
  readApplied,
  WORLD_DEFAULTS,
  type WorldOptions,
  type WorldPod,
  type WorldRoute,
} from './worldObjects.ts';
import type { Measurement, MeasurementOrder } from './analysis/measurement.ts';
import type { Manifest } from './objects.ts';
import type { Write } from './plan-types.ts';
import type { Release } from './release.ts';
import { removalOrder } from './drain.ts';
import type {
  BudgetObject,
  CopyObject,
  RevisionRecord,
  RouteIntent,
  ServiceObject,
  Snapshot,
  Workload,
} from './snapshot.ts';
import type { Status } from './state.ts';

/** Refused because the object changed since it was read. */
export class WorldConflict extends Error {}

const NO_DATA = { value: null, samples: 0, evidence: null } as const;

export class World {
  now: number;
  release: Release;
  status: Status = {};
  annotations: Record<string, string> = {};
  finalizers: string[] = [];
  generation = 1;
  deleting = false;
  /** The AssistantDeployment is there. */
  exists = true;
  options: WorldOptions;
  gatewayStalled = false;
  /** Images that cannot be pulled. */
  readonly brokenImages = new Set<string>();
  readonly references: Record<string, string | null> = {};
  readonly records = new Map<string, RevisionRecord>();
  readonly workloads = new Map<string, Workload>();
  readonly services = new Map<string, ServiceObject>();
  readonly budgets = new Map<string, BudgetObject>();
  readonly routes = new Map<string, WorldRoute>();
  readonly pods: WorldPod[] = [];
  /** What the gateway really does, by component. Lags behind the routes. */
  readonly traffic = new Map<string, RouteIntent>();
  adminSecret = false;
  readonly copies = new Map<string, CopyObject>();
  /** What the metric source answers; by default it has no data. */
  readings: (order: MeasurementOrder) => Measurement['result'] = () => ({
    kind: 'Reading',
    update: NO_DATA,
    stable: NO_DATA,
  });
  readonly measurements = new Map<string, Measurement>();
  /** Writes by kind, for tests that count. */
  readonly counts = new Map<string, number>();
  /** Rises with every change that an operator would hear of. */
  changes = 0;
  private version = 1;
  private podNumber = 0;
  private nextArrival = new Map<string, number>();

  constructor(release: Release, options: Partial<WorldOptions> = {}, now = Date.UTC(2026, 0, 1)) {
    this.release = release;
    this.options = { ...WORLD_DEFAULTS, ...options };
    this.now = now;
  }

  private bump(): string {
    this.version += 1;
    this.changes += 1;
    return String(this.version);
  }

  private subjectVersion = '1';

  /** A person edits the spec. */
  edit(change: (release: Release) => Release): void {
    this.release = change(this.release);
    this.generation += 1;
    this.subjectVersion = this.bump();
  }

  /** A person (or the operator) sets or removes annotations. */
  annotate(changes: Readonly<Record<string, string | null>>): void {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null)
        this.annotations = Object.fromEntries(Object.entries(this.annotations).filter(([name]) => name !== key));
      else this.annotations = { ...this.annotations, [key]: value };
    }
    this.subjectVersion = this.bump();
  }

  delete(): void {
    this.deleting = true;
    this.subjectVersion = this.bump();
  }

  /** Everything as it is now. */
  snapshot(): Snapshot {
    return structuredClone({
      subject: {
        name: 'support',
        namespace: 'assistants',
        uid: 'uid-1',
        generation: this.generation,
        resourceVersion: this.subjectVersion,
        annotations: this.annotations,
        finalizers: this.finalizers,
        deleting: this.deleting,
        release: this.release,
        source: { release: this.release.release, components: this.release.components },
        status: this.status,
      },
      records: [...this.records.values()],
      workloads: [...this.workloads.values()],
      pods: this.pods.map((pod) => observedPod(pod)),
      services: [...this.services.values()],
      budgets: [...this.budgets.values()],
      routes: [...this.routes.values()].map(observedRoute),
      adminSecret: this.adminSecret,
      copies: [...this.copies.values()],
      references: this.references,
      measurements: [...this.measurements.values()],
      settings: { settleMs: this.options.settleMs },
    });
  }

  /** Measures what is due. @returns whether there is a new answer. */
  measure(orders: readonly MeasurementOrder[]): boolean {
    const due = orders.filter(({ dueAt }) => dueAt <= this.now);
    for (const order of due) {
      const { metric, since } = order;
      this.measurements.set(metric, { metric, since, at: this.now, result: this.readings(order) });
    }
    if (due.length > 0) this.changes += 1;
    return due.length > 0;
  }

  /** Carries out one write. Throws WorldConflict when its object changed since the snapshot. */
  write(write: Write, snapshot: Snapshot): void {
    this.changes += 1;
    this.counts.set(write.kind, (this.counts.get(write.kind) ?? 0) + 1);
    switch (write.kind) {
      case 'Metadata':
        this.expectVersion(snapshot);
        if (write.finalizers !== undefined) this.finalizers = [...write.finalizers];
        this.annotate(write.annotations ?? {});
        if (this.deleting && this.finalizers.length === 0) this.exists = false;
        return;
      case 'Status':
        this.expectVersion(snapshot);
        this.status = structuredClone(write.status);
        this.subjectVersion = this.bump();
        return;
      case 'Apply': {
        this.applyObject(write.object);
        return;
      }
      case 'CreateAdminSecret':
        this.adminSecret = true;
        return;
      case 'CopyReference': {
        if (this.references[write.reference] !== write.digest) throw new WorldConflict(write.reference);
        const kind = write.reference.startsWith('Secret/') ? 'Secret' : 'ConfigMap';
        this.copies.set(`${kind}/${write.name}`, { kind, name: write.name, revision: write.revision });
        return;
      }
      case 'PatchWorkload': {
        const workload = this.workloads.get(write.name);
        if (workload?.resourceVersion !== write.resourceVersion) throw new WorldConflict(write.name);
        this.workloads.set(write.name, {
          ...workload,
          replicas: write.replicas,
          drain: write.drain,
          resourceVersion: this.bump(),
        });
        this.followReplicas();
        return;
      }
      case 'WriteRoute': {
        this.writeRoute(write.intent, write.resourceVersion);
        return;
      }
      case 'MarkPod': {
        const pod = this.pods.find(({ name }) => name === write.pod.name);
        if (pod === undefined) throw new WorldConflict(write.pod.name);
        pod.drain = write.drain;
        return;
      }
      case 'DrainPod': {
        const pod = this.pods.find(({ name }) => name === write.pod.name);
        if (pod?.running === true && !pod.draining)
          Object.assign(pod, { draining: true, nextLeave: this.now + this.options.leaveEveryMs });
        return;
      }
      case 'Delete': {
        this.deleteObject(write.ref.kind, write.ref.name);
        return;
      }
    }
  }

  private expectVersion(snapshot: Snapshot): void {
    if (snapshot.subject.resourceVersion !== this.subjectVersion) throw new WorldConflict('AssistantDeployment');
  }

  private applyObject(object: Manifest): void {
    const applied = readApplied(object);
    switch (applied.kind) {
      case 'ControllerRevision':
        this.records.set(applied.record.hash, structuredClone(applied.record));
        return;
      case 'Deployment': {
        const { workload } = applied;
        this.workloads.set(workload.name, { ...workload, drain: null, resourceVersion: this.bump() });
        this.followReplicas();
        return;
      }
      case 'Service':
        this.services.set(applied.service.name, applied.service);
        return;
      case 'PodDisruptionBudget':
        this.budgets.set(applied.budget.name, applied.budget);
        return;
    }
  }

  private writeRoute(intent: RouteIntent, resourceVersion: string | null): void {
    const before = this.routes.get(intent.component);
    if ((before?.resourceVersion ?? null) !== resourceVersion) throw new WorldConflict(intent.component);
    this.routes.set(intent.component, {
      name: before?.name ?? `support-${intent.component}`,
      intent: structuredClone(intent),
      generation: (before?.generation ?? 0) + 1,
      resourceVersion: this.bump(),
      writtenAt: this.now,
      acceptedGeneration: before?.acceptedGeneration ?? 0,
      acceptedAt: 0,
    });
  }

  private deleteObject(kind: string, name: string): void {
    switch (kind) {
      case 'Deployment':
        this.workloads.delete(name);
        {
          this.followReplicas();
          return;
        }
      case 'Service':
        this.services.delete(name);
        return;
      case 'PodDisruptionBudget':
        this.budgets.delete(name);
        return;
      case 'ControllerRevision':
        for (const hash of this.records.keys()) if (name.endsWith(hash)) this.records.delete(hash);
        return;
      case 'HTTPRoute':
        for (const [component, route] of this.routes) if (route.name === name) this.routes.delete(component);
        return;
      case 'ConfigMap':
      case 'Secret':
        if (!this.copies.delete(`${kind}/${name}`)) this.adminSecret = false;
        return;
      default:
        throw new Error(`this world has no ${kind}`);
    }
  }

  /** Called with every pod that the operator's writes take away. */
  onRemoval: (pod: WorldPod) => void = () => undefined;

  /** What the ReplicaSet controller does: as many pods as replicas, removed in its order. */
  private followReplicas(): void {
    for (const pod of [...this.pods]) {
      const owner = [...this.workloads.values()].some((workload) => isActiveReplica(pod, workload));
      if (!owner) this.remove(pod);
    }
    for (const workload of this.workloads.values()) {
      const mine = this.pods.filter((pod) => isActiveReplica(pod, workload));
      const order = removalOrder(mine.map((pod) => observedPod(pod)));
      for (const { name } of order.slice(0, Math.max(0, mine.length - workload.replicas))) {
        const pod = mine.find((each) => each.name === name);
        if (pod !== undefined) this.remove(pod);
      }
      for (let missing = workload.replicas - mine.length; missing > 0; missing--) this.pods.push(this.newPod(workload));
    }
  }

  private newPod({ component, revision }: Workload): WorldPod {
    this.podNumber += 1;
    const template = this.records.get(revision)?.components[component]?.template as
      | { spec?: { containers?: { image?: string }[] } }
      | undefined;
    const broken = this.brokenImages.has(template?.spec?.containers?.[0]?.image ?? '');
    return {
      name: `pod-${String(this.podNumber).padStart(4, '0')}`,
      component,
      revision,
      createdAt: this.now,
      running: false,
      ready: false,
      broken,
      sick: false,
      draining: false,
      drain: null,
      sockets: 0,
      nextLeave: 0,
    };
  }

  private remove(pod: WorldPod): void {
    this.changes += 1;
    this.onRemoval(pod);
    this.pods.splice(this.pods.indexOf(pod), 1);
  }

  /** A pod dies (node lost, out of memory): its sockets are cut, the ReplicaSet controller makes another. */
  killPod(index: number): void {
    const pod = this.pods[index % Math.max(1, this.pods.length)];
    if (pod === undefined) return;
    this.pods.splice(this.pods.indexOf(pod), 1);
    this.followReplicas();
  }

  /** Moves the clock. `step` at a time, so that pods, sockets and the gateway follow in order. */
  advance(ms: number, step = 50): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + step);
      this.movePods();
      this.moveTraffic();
      this.moveSockets();
    }
  }

  private movePods(): void {
    for (const pod of this.pods) {
      if (pod.broken) continue;
      const age = this.now - pod.createdAt;
      const running = age >= this.options.podStartMs;
      const ready = age >= this.options.podReadyMs && !pod.sick;
      if (running === pod.running && ready === pod.ready) continue;
      Object.assign(pod, { running, ready });
      this.changes += 1;
    }
  }

  private moveTraffic(): void {
    const stalled = this.gatewayStalled; // it accepts nothing, and carries out what it has accepted
    for (const [component, route] of this.routes) {
      const due = this.now - route.writtenAt >= this.options.acceptMs;
      if (!stalled && due && route.acceptedGeneration !== route.generation) {
        route.acceptedGeneration = route.generation;
        route.acceptedAt = this.now;
        this.changes += 1;
      }
      const accepted = route.acceptedGeneration === route.generation;
      if (accepted && this.now - route.acceptedAt >= this.options.moveMs) this.traffic.set(component, route.intent);
    }
    if (stalled) return;
    for (const component of [...this.traffic.keys()]) if (!this.routes.has(component)) this.traffic.delete(component);
  }

  private moveSockets(): void {
    for (const pod of this.pods) {
      const leaves = pod.draining && this.options.leaveEveryMs > 0;
      if (leaves && pod.sockets > 0 && this.now >= pod.nextLeave)
        Object.assign(pod, { sockets: pod.sockets - 1, nextLeave: this.now + this.options.leaveEveryMs });
    }
    if (this.options.arriveEveryMs === 0) return;
    for (const component of this.traffic.keys()) {
      const next = this.nextArrival.get(component) ?? this.now;
      if (this.now < next) continue;
      this.nextArrival.set(component, next + this.options.arriveEveryMs);
      const open = this.pods.filter((pod) => pod.component === component).reduce((sum, pod) => sum + pod.sockets, 0);
      const serving = this.serving(component);
      const pod = serving[Math.floor(next / this.options.arriveEveryMs) % Math.max(1, serving.length)];
      if (pod !== undefined && open < this.options.socketsAtMost) pod.sockets += 1;
    }
  }

  /** Pods that the gateway sends new sessions of a component to. */
  serving(component: string): WorldPod[] {
    const backends = this.traffic.get(component)?.backends.filter(({ weight }) => weight > 0) ?? [];
    return this.pods.filter(
      (pod) =>
        pod.component === component &&
        pod.ready &&
        !pod.draining &&
        backends.some(({ revision }) => revision === pod.revision),
    );
  }
}
