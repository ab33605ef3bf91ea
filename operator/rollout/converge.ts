// From what was decided (and stored) to the writes that make it so. Level-based: every write follows from what is there now, none from what was
// done before, so a plan that was carried out by half is simply gone on with.
import { defaultPath } from '@assistant-platform/api';
import { capacityWaits } from './capacity.ts';
import { isSame } from './digest.ts';
import type { Note } from './decide.ts';
import { isActive, tellDeparting } from './drain.ts';
import { madeFrom, type Facts } from './facts.ts';
import { isPromoted } from './history.ts';
import {
  adminSecretName,
  componentObjectName,
  previewServiceName,
  revisionObjectName,
  revisionRecordName,
} from './names.ts';
import {
  activeService,
  appliedDigest,
  controllerRevision,
  disruptionBudget,
  previewService,
  revisionService,
  type Manifest,
} from './objects.ts';
import type { ChildRef, Write } from './plan-types.ts';
import { copyName } from './references.ts';
import { makeRecord } from './revision.ts';
import { carriedShare, wantedShare, type Verification } from './routes.ts';
import { scaleActive, scaleRetired } from './scale.ts';
import type { Route, RouteIntent } from './snapshot.ts';
import { atRest, type Progress } from './state.ts';

export interface Convergence {
  readonly writes: readonly Write[];
  readonly notes: readonly Note[];
  readonly lookAgainAt: number | null;
}

/** Everything that differs from what is wanted, in a safe order: traffic, then what is missing and pods, then what is left over. */
export function converge(p: Progress, f: Facts, routes: Verification, now: number): Convergence {
  const active = f.revisions.filter((hash) => isActive(p, hash));
  const retired = f.revisions.filter((hash) => !isActive(p, hash));
  const records = missingRecords(p, f);
  if (records.length > 0) return { writes: records, notes: [], lookAgainAt: now }; // everything below is made from them
  const scaled = [
    ...active.flatMap((hash) => f.components(hash).map((component) => scaleActive(p, f, f.unit(hash, component), now))),
    ...retired.flatMap((hash) =>
      f.components(hash).map((component) => scaleRetired(p, f, routes, f.unit(hash, component), now)),
    ),
  ];
  const looks = scaled.flatMap((result) => result.lookAgainAt ?? []);
  return {
    writes: [
      // What they send traffic to is there, or it would have no endpoints; and an abort does not wait for what the API server may refuse.
      ...routeWrites(p, f),
      ...active.flatMap((hash) => missingCopies(f, hash)),
      ...active.flatMap((hash) => companions(f, hash)),
      // A gateway refuses a route that names a Service which is not there, though with weight 0.
      ...retired.flatMap((hash) => serviceFor(f, hash, revisionService, componentsRoutedTo(f, hash))),
      ...frontServices(p, f),
      // Behind the routes: should its name be taken, an abort does not wait for that.
      ...(f.snapshot.adminSecret
        ? []
        : [{ kind: 'CreateAdminSecret', name: adminSecretName(f.subject.name) } as const]),
      ...scaled.flatMap((result) => result.writes),
      ...tellDeparting(f, now),
      ...leftovers(p, f, retired),
    ],
    // The last write of a step is the one that it is about.
    notes: scaled.flatMap(({ notes, writes }) => notes.map((each) => ({ ...each, of: writes.at(-1) }))),
    lookAgainAt: looks.length === 0 ? null : Math.min(...looks),
  };
}

function missingRecords(p: Progress, f: Facts): Write[] {
  const { target } = f;
  const wanted = [p.update, p.stable].filter((ref) => ref !== null).map(({ hash }) => hash);
  if (target.kind !== 'Known' || !wanted.includes(target.hash) || f.record(target.hash) !== null) return [];
  const sequence = 1 + Math.max(0, ...f.snapshot.records.map((record) => record.sequence));
  return [
    {
      kind: 'Apply',
      object: controllerRevision(f.subject, makeRecord(f.subject, target, f.snapshot.references, sequence)),
    },
  ];
}

/** Copies that a revision reads and that are not there. An original that has changed since cannot be copied any more. */
function missingCopies(f: Facts, hash: string): Write[] {
  return Object.entries(f.record(hash)?.references ?? {}).flatMap(([reference, digest]): Write[] => {
    const name = copyName(f.subject.name, hash, reference);
    const [kind] = reference.split('/');
    const there = f.snapshot.copies.some((copy) => copy.kind === kind && copy.name === name);
    const changed = f.snapshot.references[reference] !== digest;
    return there || changed ? [] : [{ kind: 'CopyReference', reference, digest, name, revision: hash }];
  });
}

/** Service and disruption budget of each component of an active revision. */
function companions(f: Facts, hash: string): Write[] {
  const record = f.record(hash);
  return f.components(hash).flatMap((component) => {
    const port = record?.components[component]?.port;
    const service = port === undefined ? [] : ensureService(f, revisionService(f.subject, component, hash, port));
    const budget = disruptionBudget(f.subject, component, hash);
    const there = f.snapshot.budgets.some(
      (each) => each.name === budget.metadata.name && each.digest === appliedDigest(budget),
    );
    return [...service, ...(there ? [] : [{ kind: 'Apply', object: budget } as const])];
  });
}

function ensureService(f: Facts, wanted: Manifest): Write[] {
  const there = f.snapshot.services.some(
    (each) => each.name === wanted.metadata.name && each.digest === appliedDigest(wanted),
  );
  return there ? [] : [{ kind: 'Apply', object: wanted }];
}

/** The active Service of each component and, in a blue-green rollout, the preview. */
function frontServices(p: Progress, f: Facts): Write[] {
  const front = p.stable ?? p.update;
  if (front === null) return [];
  const writes = serviceFor(f, front.hash, activeService);
  const { stable, update } = p;
  if (f.release.strategy.type !== 'BlueGreen' || stable === null || update === null) return writes;
  return atRest(p) || p.abort !== null ? writes : [...writes, ...serviceFor(f, update.hash, previewService)];
}

const componentsRoutedTo = (f: Facts, hash: string): string[] =>
  f
    .components(hash)
    .filter((component) => f.route(component)?.intent?.backends.some(({ revision }) => revision === hash));

function serviceFor(f: Facts, hash: string, make: typeof activeService, components = f.components(hash)): Write[] {
  const record = f.record(hash);
  return components.flatMap((component) => {
    const port = record?.components[component]?.port;
    return port === undefined ? [] : ensureService(f, make(f.subject, component, hash, port));
  });
}

/** The routes that do not carry what they should. */
function routeWrites(p: Progress, f: Facts): Write[] {
  // A pause holds back what has not begun. A weight that one component carries already is followed by the others: lockstep.
  const held = f.release.paused && carriedShare(p, f) < p.requested;
  const mayRise = !held && capacityWaits(p, f).length === 0;
  const components = [p.stable, p.update].flatMap((ref) => (ref === null ? [] : f.components(ref.hash)));
  return [...new Set(components)].sort().flatMap((component): Write[] => {
    const route = f.route(component);
    const intent = wantedRoute(p, f, component, route, mayRise);
    if (intent === 'Keep') return [];
    if (intent === 'Remove')
      return route === null ? [] : [{ kind: 'Delete', ref: { kind: 'HTTPRoute', name: route.name } }];
    if (route !== null && route.intent !== null && isSame(route.intent, intent)) return [];
    return [{ kind: 'WriteRoute', intent, resourceVersion: route?.resourceVersion ?? null }];
  });
}

function wantedRoute(
  p: Progress,
  f: Facts,
  component: string,
  route: Route | null,
  mayRise: boolean,
): RouteIntent | 'Keep' | 'Remove' {
  const share = wantedShare(p, f, component, mayRise);
  const stable = p.stable !== null && f.components(p.stable.hash).includes(component) ? p.stable.hash : null;
  const update = p.update !== null && f.components(p.update.hash).includes(component) ? p.update.hash : null;
  if (p.stable === null && share === 0) return 'Keep';
  if (stable === null && share === 0) return 'Remove';
  const weights = new Map<string, number>();
  if (update !== null && (share > 0 || update === stable)) weights.set(update, share);
  if (stable !== null && stable !== update) weights.set(stable, update === null ? 100 : 100 - share);
  // At rest with a stable revision that has not a single pod yet there is nothing to point to.
  if (route === null && [...weights.keys()].every((hash) => f.unit(hash, component).available === 0)) return 'Keep';
  for (const { revision } of route?.intent?.backends ?? []) {
    // Some gateways cut the connections of a backend that disappears: it stays, at weight 0, as long as it has pods.
    if (!weights.has(revision) && f.unit(revision, component).pods.length > 0) weights.set(revision, 0);
  }
  const port = (hash: string): number =>
    f.record(hash)?.components[component]?.port ?? f.release.components[component]?.port ?? 8080;
  const named = [stable, update].filter(
    (hash) => hash !== null && isActive(p, hash) && reachable(f, hash, component, route),
  );
  const sticky = f.release.strategy.type === 'Canary' && f.release.strategy.stickiness === 'Bucket';
  const splits = stable !== null && update !== null && stable !== update && share > 0 && share < 100;
  return {
    component,
    path:
      f.release.components[component]?.path ??
      route?.intent?.path ??
      madeFrom(f, stable ?? update ?? '', component)?.path ??
      defaultPath(component),
    parentRef: f.release.gateway.parentRef,
    hostnames: f.release.gateway.hostnames,
    backends: [...weights]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([revision, weight]) => ({ revision, weight, port: port(revision) })),
    byHeader: [...new Set(named.filter((hash) => hash !== null))]
      .sort()
      .map((revision) => ({ revision, port: port(revision) })),
    stickiness: sticky && splits ? { by: 'Bucket', update, stable } : { by: 'None' },
  };
}

/** A revision may be chosen by hand once all of it has pods; it stays so while a pod restarts. */
function reachable(f: Facts, hash: string, component: string, route: Route | null): boolean {
  if (route?.intent?.byHeader.some((choice) => choice.revision === hash)) return true;
  return f.components(hash).every((each) => f.unit(hash, each).available > 0) && f.unit(hash, component).available > 0;
}

/** What nobody needs any more: companions of drained revisions, front objects of removed components, revisions beyond the history limit. */
function leftovers(p: Progress, f: Facts, retired: readonly string[]): Write[] {
  const { subject, snapshot, release } = f;
  const gone = retired.filter((hash) => isGone(f, hash));
  // Of a revision that is still asked for (aborted, say) the record would only be written again.
  const forgotten = byLastUse(p, gone)
    .slice(0, Math.max(0, gone.length - release.revisionHistoryLimit))
    .filter((hash) => hash !== p.update?.hash);
  const fronts =
    p.stable === null && p.update === null
      ? []
      : [p.stable, p.update].flatMap((ref) => (ref === null ? [] : f.components(ref.hash)));
  const previewed = release.strategy.type === 'BlueGreen' && !atRest(p) && p.abort === null;
  const writes: Write[] = [];
  const remove = (kind: ChildRef['kind'], name: string): void => {
    writes.push({ kind: 'Delete', ref: { kind, name } });
  };
  for (const { component, name } of snapshot.routes) if (!fronts.includes(component)) remove('HTTPRoute', name);
  for (const { name, component, revision } of snapshot.services) {
    const isFront = name === componentObjectName(subject.name, component);
    const isPreview = name === previewServiceName(subject.name, component);
    const unwanted = isFront
      ? !fronts.includes(component)
      : isPreview
        ? !previewed
        : revision !== null && gone.includes(revision);
    if (unwanted && !named(f, revision)) remove('Service', name);
  }
  for (const { name, revision } of snapshot.budgets) if (gone.includes(revision)) remove('PodDisruptionBudget', name);
  for (const hash of forgotten) {
    for (const component of f.components(hash)) {
      if (f.unit(hash, component).workload !== null)
        remove('Deployment', revisionObjectName(subject.name, component, hash));
    }
    for (const copy of snapshot.copies) if (copy.revision === hash) remove(copy.kind, copy.name);
    if (f.record(hash) !== null) remove('ControllerRevision', revisionRecordName(subject.name, hash));
  }
  return writes;
}

/** Those that were never stable first, the oldest first; then those that were, the one that was so last at the end. */
function byLastUse(p: Progress, revisions: readonly string[]): string[] {
  const promoted = p.history.filter(isPromoted).map(({ hash }) => hash);
  const age = (hash: string): number => (promoted.includes(hash) ? promoted.indexOf(hash) : promoted.length);
  return revisions.toSorted((a, b) => age(b) - age(a));
}

/** No pods, none wanted. */
const isGone = (f: Facts, hash: string): boolean =>
  f.components(hash).every((component) => {
    const unit = f.unit(hash, component);
    return unit.pods.length === 0 && (unit.workload?.replicas ?? 0) === 0;
  });

const named = (f: Facts, hash: string | null): boolean =>
  hash !== null &&
  f.snapshot.routes.some(
    (route) => route.intent === null || route.intent.backends.some((backend) => backend.revision === hash),
  );
