// plan(snapshot, now): the whole decision, pure. Decide, store, act: a plan either stores a new decision in status, or carries out the one that is
// stored; never both. So whatever is done follows from what is written down, and a kill between any two writes changes nothing.
import { converge } from './converge.ts';
import { decide, note } from './decide.ts';
import { isSame } from './digest.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { FINALIZER } from '@assistant-platform/api';
import { dropOrder, takeVerbs } from './orders.ts';
import type { Plan, Write } from './plan-types.ts';
import { verifyRoutes } from './routes.ts';
import type { Snapshot } from './snapshot.ts';
import { atRest, readProgress, type Progress, type SideStatus, type Status } from './state.ts';
import { publish } from './status.ts';
import { terminate } from './terminate.ts';
import { blockedBy, waitingSince, type Wait } from './waits.ts';
import { measurementOrders } from './watches.ts';

/**
 * Decides what to do about one AssistantDeployment.
 * @param snapshot everything observed at one moment.
 * @param now epoch milliseconds.
 * @throws only on a bug (rules that undo each other), never on a state of the cluster.
 */
export function plan(snapshot: Snapshot, now: number): Plan {
  const f = gatherFacts(snapshot);
  if (f.subject.deleting) return planDeletion(f, now);
  if (!f.subject.finalizers.includes(FINALIZER)) {
    return metadataOnly(f, { kind: 'Metadata', finalizers: [...f.subject.finalizers, FINALIZER] }, now);
  }
  const order = takeVerbs(f, f.progress, now);
  if (order !== null) {
    const taken = metadataOnly(f, { kind: 'Metadata', annotations: order.annotations }, now);
    return { ...taken, notes: [note('VerbTaken', order.note)] };
  }
  const dropped = dropOrder(f);
  if (dropped !== null) return metadataOnly(f, { kind: 'Metadata', annotations: dropped }, now);
  const decision = decide(f, now);
  const { progress: p } = decision;
  const since = (wait: Wait): number => waitingSince(wait, decision.clocks, now);
  const routes = verifyRoutes(p, f, since, now);
  const entries = decision.waits.map((wait) => blockedBy(wait, decision.clocks, now));
  const status = publish({ p, f, routes, blockedBy: entries, now });
  if (!isSame(p, f.progress)) {
    return {
      writes: [{ kind: 'Status', status }],
      status,
      notes: decision.notes,
      lookAgainAt: now,
      measure: [],
      watchSessions: sessionsMatter(p, f, status),
    };
  }
  const measure = measurementOrders(p, f);
  const act = converge(p, f, routes, now);
  const ends = entries
    .flatMap((entry) => (entry.nextCheckAt === undefined ? [] : [Date.parse(entry.nextCheckAt)]))
    .filter((end) => end > now);
  const due = measure.map(({ dueAt }) => dueAt).filter((time) => time > now);
  const looks = [...ends, ...due, ...(act.lookAgainAt === null ? [] : [act.lookAgainAt])];
  return {
    writes: [...act.writes, ...statusWrite(f, status)],
    status,
    notes: [...decision.notes, ...act.notes],
    lookAgainAt: looks.length === 0 ? null : Math.min(...looks),
    measure,
    watchSessions: sessionsMatter(p, f, status),
  };
}

function planDeletion(f: Facts, now: number): Plan {
  const before = f.subject.status.blockedBy ?? [];
  const since = (wait: Wait): number => waitingSince(wait, before, now);
  const { writes, waits, notes, lookAgainAt } = terminate(f, since, now);
  const entries = waits.map((wait) => blockedBy(wait, before, now));
  const p = readProgress(f.subject.status);
  const status = publish({ p, f, routes: verifyRoutes(p, f, since, now), blockedBy: entries, now });
  const last = writes.some((write) => write.kind === 'Metadata');
  return {
    writes: last ? writes : [...writes, ...statusWrite(f, status)],
    status,
    notes,
    lookAgainAt,
    measure: [],
    watchSessions: true,
  };
}

const metadataOnly = (f: Facts, write: Write, now: number): Plan => ({
  writes: [write],
  status: f.subject.status,
  notes: [],
  lookAgainAt: now,
  measure: [],
  watchSessions: false,
});

const sessionsMatter = (p: Progress, f: Facts, status: Status): boolean =>
  !atRest(p) || status.draining !== undefined || f.snapshot.pods.some((pod) => pod.running && pod.removal !== null);

/** A status is written only when it says something else; open sessions that come and go at rest are not something else. */
function statusWrite(f: Facts, status: Status): Write[] {
  const { status: stored } = f.subject;
  return isSame(steady(f, status), stored) ? [] : [{ kind: 'Status', status }];
}

/**
 * The status with the stored counts of open sessions where nothing is under way (at rest, or aborted and waiting for a person) and the new ones say
 * nothing else.
 */
function steady(f: Facts, status: Status): Status {
  const { status: stored } = f.subject;
  const [stable, update] = [status.stableRevision?.hash, status.updateRevision?.hash];
  const idle = stable === update || (status.abort !== undefined && status.draining === undefined);
  if (stable === undefined || update === undefined || status.components === undefined || !idle) return status;
  const components = Object.entries(status.components).map(([name, sides]): [string, typeof sides] => {
    const before = stored.components?.[name];
    const side = (hash: string, which: 'stable' | 'update'): SideStatus | undefined =>
      settle(sides[which], before?.[which], f.unit(hash, name).socketsKnown);
    return [name, { stable: side(stable, 'stable'), update: side(update, 'update') }];
  });
  const before = stored.summary?.['connections'];
  const summary = { ...status.summary, connections: before };
  const settled = { ...status, components: Object.fromEntries(components) };
  const alike = isSame(settled.components, stored.components);
  if (!alike || before === undefined) return settled;
  const weight = status.weight === undefined ? {} : { weight: { ...status.weight, observed: stored.weight?.observed } };
  return { ...settled, ...weight, summary };
}

/** Keeps the stored count where pods have not said yet, or say nearly the same: within a quarter. */
function settle(side: SideStatus | undefined, before: SideStatus | undefined, known: boolean): SideStatus | undefined {
  if (side === undefined || before === undefined) return side;
  const near = Math.abs(side.sockets - before.sockets) <= before.sockets / 4;
  return near || !known ? { ...side, sockets: before.sockets } : side;
}
