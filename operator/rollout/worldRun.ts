// Runs the decision in the model world: observe, plan, write; and watches the invariants of docs/concepts/safety.md at every write and every moment.
import { observedShare, routedComponents } from './routes.ts';
import { gatherFacts } from './facts.ts';
import { plan } from './plan.ts';
import type { Plan, Write } from './plan-types.ts';
import type { Snapshot } from './snapshot.ts';
import { readProgress } from './state.ts';
import { capacityFor } from './stages.ts';
import type { World } from './world.ts';
import { WorldConflict } from './world.ts';

/** More looks than this at one moment of time: the operator does not come to rest. */
const LOOKS_AT_MOST = 200;

/** One verified route change of this world, with some room. */
const ABORTED_WITHIN_MS = 5000;

export class WorldRun {
  readonly world: World;
  readonly violations: string[] = [];
  /** Every write, as a line, for the person who reads a failing schedule. */
  readonly log: string[] = [];
  readonly told: string[] = [];
  /** Cut the next plan after so many writes, then start again from what is there. null: never. */
  killAfter: number | null = null;
  /** Faults outside the operator's reach (dead pods, a stalled gateway) excuse a route without pods for a moment. */
  disturbed = false;
  /** What of the world the operator sees otherwise. */
  view: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot;
  /** Told of each write just before it is carried out, of each plan when it was, and of the last one of a look: nothing is left to do at this moment. */
  onWrite: (write: Write, snapshot: Snapshot) => void = () => undefined;
  onPlan: (plan: Plan) => void = () => undefined;
  onRest: (plan: Plan) => void = () => undefined;
  private stalledAt = 0;
  private lookAgainAt: number | null = null;
  private watchesSessions = true;
  private askedAt = 0;
  private seen = -1;

  constructor(world: World) {
    this.world = world;
    world.onRemoval = (pod) => {
      const window = pod.drain ?? this.removalWindow(pod.component, pod.revision);
      const over = window !== null && world.now >= window.deadline;
      if (!over && !pod.draining && world.serving(pod.component).includes(pod)) {
        this.violate(3, `${pod.name} of ${pod.component} ${pod.revision} removed while it takes traffic`);
      }
      if (pod.sockets > 0 && !over)
        this.violate(3, `${pod.name} of ${pod.component} ${pod.revision} removed with ${pod.sockets} sockets`);
    };
  }

  private removalWindow(component: string, revision: string): { deadline: number } | null {
    return (
      [...this.world.workloads.values()].find((each) => each.component === component && each.revision === revision)
        ?.drain ?? null
    );
  }

  violate(invariant: number, message: string): void {
    this.violations.push(`invariant ${invariant} at +${this.world.now}: ${message}`);
  }

  /** Looks and writes until nothing more is due at this moment. Returns the number of writes. */
  settle(): number {
    let written = 0;
    for (let looks = 0; looks < LOOKS_AT_MOST; looks++) {
      if (!this.world.exists) return written;
      const snapshot = this.view(this.world.snapshot());
      const next = plan(snapshot, this.world.now);
      const done = this.carryOut(next, snapshot);
      this.onPlan(next);
      const measured = this.world.measure(next.measure);
      written += done;
      this.lookAgainAt = next.lookAgainAt;
      this.watchesSessions = next.watchSessions;
      this.askedAt = this.world.now;
      this.seen = this.world.changes;
      if (done === 0 && !measured && (next.lookAgainAt === null || next.lookAgainAt > this.world.now)) {
        this.onRest(next);
        return written;
      }
    }
    this.violate(8, `still writing after ${LOOKS_AT_MOST} looks: ${this.log.slice(-6).join(' | ')}`);
    return written;
  }

  private carryOut(next: Plan, snapshot: Snapshot): number {
    let done = 0;
    for (const write of next.writes) {
      if (this.killAfter !== null) {
        if (this.killAfter === 0) {
          this.killAfter = null;
          return Math.max(done, 1); // killed here; the next look starts over
        }
        this.killAfter -= 1;
      }
      this.checkWrite(write, snapshot);
      this.onWrite(write, snapshot);
      try {
        this.world.write(write, snapshot);
      } catch (error) {
        if (error instanceof WorldConflict) return Math.max(done, 1);
        throw error;
      }
      this.log.push(line(this.world.now, write));
      done += 1;
    }
    this.told.push(...next.notes.map(({ reason, message }) => `${reason}: ${message}`));
    return done;
  }

  /** Lets time pass, looking whenever something may have changed. */
  run(ms: number, step = 50): void {
    const end = this.world.now + ms;
    this.settle();
    while (this.world.now < end && this.world.exists) {
      this.world.advance(Math.min(step, end - this.world.now), step);
      const due = this.lookAgainAt !== null && this.lookAgainAt <= this.world.now;
      // Open sessions change without an event: they are asked for now and then, as the controller does.
      const asks = this.world.now - this.askedAt >= (this.watchesSessions ? 500 : 30_000);
      if (due || asks || this.world.changes !== this.seen) this.settle();
      this.checkMoment();
    }
  }

  /** Runs until nothing is written for `quietMs`, at most `limitMs`. Returns whether it became quiet. */
  untilQuiet(limitMs = 3_600_000, quietMs = 120_000): boolean {
    const end = this.world.now + limitMs;
    let quiet = 0;
    while (this.world.now < end) {
      const writes = this.log.length;
      this.run(1000, 250);
      quiet = this.log.length === writes ? quiet + 1000 : 0;
      if (quiet >= quietMs) return true;
    }
    return false;
  }

  private checkWrite(write: Write, snapshot: Snapshot): void {
    if (write.kind === 'WriteRoute') this.checkRoute(write, snapshot);
    if (write.kind === 'Status') this.checkStatus(write, snapshot);
  }

  private checkRoute({ intent }: Extract<Write, { kind: 'WriteRoute' }>, snapshot: Snapshot): void {
    const f = gatherFacts(snapshot);
    const sum = intent.backends.reduce((total, { weight }) => total + weight, 0);
    if (sum !== 100) this.violate(2, `weights of ${intent.component} sum to ${sum}`);
    for (const { revision, weight } of intent.backends) {
      const anywhere = intent.backends.some((each) => f.unit(each.revision, intent.component).available > 0);
      if (weight > 0 && anywhere && f.unit(revision, intent.component).available === 0) {
        this.violate(2, `${intent.component} gives ${weight} % to ${revision}, which has no available pods`);
      }
    }
    const p = f.progress;
    const before = f.route(intent.component)?.intent;
    if (before === undefined || before === null || p.update === null) return;
    const hash = p.update.hash;
    const weight = (from: typeof intent): number =>
      from.backends.find((backend) => backend.revision === hash)?.weight ?? 0;
    const leaving = f.target.kind === 'Known' && f.target.hash !== hash;
    const excused =
      p.abort !== null || leaving || f.components(hash).some((each) => f.unit(hash, each).available === 0);
    const needed = capacityFor(f.release, intent.component, weight(intent));
    const stableUp = p.stable !== null && f.unit(p.stable.hash, intent.component).available > 0;
    if (stableUp && weight(intent) > weight(before) && f.unit(hash, intent.component).available < needed) {
      this.violate(2, `${intent.component}: ${weight(intent)} % for ${hash} with fewer than ${needed} available pods`);
    }
    const stableBack = weight(before) === 100 && p.requested < 100;
    if (weight(intent) < weight(before) && !excused && !stableBack) {
      this.violate(
        4,
        `${intent.component}: ${weight(before)} % falls to ${weight(intent)} % while ${hash} goes forward`,
      );
    }
  }

  private checkStatus({ status }: Extract<Write, { kind: 'Status' }>, snapshot: Snapshot): void {
    const f = gatherFacts(snapshot);
    const before = readProgress(f.subject.status);
    const after = readProgress(status);
    const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    if (ready && (f.target.kind !== 'Known' || f.target.hash !== after.stable?.hash))
      this.violate(10, 'Ready, but the spec asks for another revision');
    if (ready && after.stable !== null && !this.disturbed) {
      for (const component of f.components(after.stable.hash)) {
        const moved = this.world.traffic.get(component)?.backends.filter(({ weight }) => weight > 0) ?? [];
        if (moved.length !== 1 || moved[0]?.revision !== after.stable.hash)
          this.violate(10, `Ready, but traffic of ${component} goes to ${JSON.stringify(moved)}`);
      }
    }
    if (status.observedGeneration !== this.world.generation)
      this.violate(10, 'observedGeneration is not that of the spec it was made from');
    // On the way down `routed` is an upper bound until the smaller share is verified.
    const lowered = after.requested < before.requested;
    if (after.routed !== before.routed && after.update?.hash === before.update?.hash)
      this.checkRouted(after.routed, lowered, snapshot);
    const sameRollout = before.update?.hash === after.update?.hash && before.step?.stepsHash === after.step?.stepsHash;
    if (sameRollout && (after.step?.index ?? 0) > (before.step?.index ?? 0) && !this.disturbed) {
      if (observedShare(before, f) === null)
        this.violate(5, 'a step completed while the components carry different weights');
    }
  }

  private checkRouted(routed: number, lowered: boolean, snapshot: Snapshot): void {
    if (this.disturbed) return;
    const f = gatherFacts(snapshot);
    const { update } = f.progress;
    const split = routedComponents(f.progress, f).both;
    for (const [component, intent] of this.world.traffic) {
      if (!split.includes(component)) continue;
      const share = intent.backends.find(({ revision }) => revision === update?.hash)?.weight ?? 0;
      if (lowered ? share > routed : share !== routed)
        this.violate(10, `routed ${routed} claimed, but ${component} really carries ${share}`);
    }
  }

  /** Invariant 6: some seconds after an abort nobody is sent to the aborted revision, unless the gateway does nothing at all. */
  private checkAbort(): void {
    const { abort, updateRevision } = this.world.status;
    if (this.world.gatewayStalled) this.stalledAt = this.world.now;
    if (abort === undefined || updateRevision === undefined) return;
    if (this.world.now - Math.max(Date.parse(abort.at), this.stalledAt) < ABORTED_WITHIN_MS) return;
    for (const [component, { backends }] of this.world.traffic) {
      const stable = backends.some((backend) => backend.revision === this.world.status.stableRevision?.hash);
      const left = backends.find((backend) => backend.revision === updateRevision.hash)?.weight ?? 0;
      if (stable && left > 0)
        this.violate(6, `${component} still gives ${left} % to the aborted ${updateRevision.hash}`);
    }
  }

  /** Invariants 1 and 2 as clients feel them: what the gateway really does. */
  checkMoment(): void {
    if (this.disturbed || this.world.deleting) return;
    this.checkAbort();
    for (const [component, intent] of this.world.traffic) {
      const dead = intent.backends.filter(
        ({ revision, weight }) => weight > 0 && !this.world.serving(component).some((pod) => pod.revision === revision),
      );
      if (dead.length > 0)
        this.violate(1, `${component} sends ${dead[0]?.weight} % to ${dead[0]?.revision}, which nobody answers for`);
    }
  }
}

function line(now: number, write: Write): string {
  const seconds = ((now % 86_400_000) / 1000).toFixed(2);
  switch (write.kind) {
    case 'Apply':
      return `${seconds} apply ${write.object.kind} ${write.object.metadata.name}`;
    case 'PatchWorkload':
      return `${seconds} ${write.name} replicas ${write.replicas}${write.drain === null ? '' : ' draining'}`;
    case 'WriteRoute':
      return `${seconds} route ${write.intent.component} ${write.intent.backends.map(({ revision, weight }) => `${revision}:${weight}`).join(' ')}`;
    case 'MarkPod':
    case 'DrainPod':
      return `${seconds} ${write.kind} ${write.pod.name}`;
    case 'Delete':
      return `${seconds} delete ${write.ref.kind} ${write.ref.name}`;
    case 'Status': {
      const { status } = write;
      const blocked = status.blockedBy?.map(({ reason }) => reason).join(',') ?? '';
      return `${seconds} status ${status.phase} ${status.stableRevision?.hash ?? '-'}>${status.updateRevision?.hash ?? '-'} step ${status.step?.index ?? '-'} weight ${status.weight?.requested ?? '-'}/${status.weight?.routed ?? '-'} ${blocked}`;
    }
    case 'Metadata':
      return `${seconds} metadata ${JSON.stringify(write.annotations ?? write.finalizers)}`;
    case 'CreateAdminSecret':
      return `${seconds} admin secret`;
    case 'CopyReference':
      return `${seconds} copy of ${write.reference} for ${write.revision}`;
  }
}
