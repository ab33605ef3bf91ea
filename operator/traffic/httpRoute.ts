// Gateway API: what a route should be, as an HTTPRoute, and what an HTTPRoute is, in our words. Nothing else in the operator knows its shape.
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectMeta, OwnerReference } from '@assistant-platform/runtime';
import { resourceType } from '@assistant-platform/runtime';
import { BUCKET_HEADER, REVISION_HEADER } from '@assistant-platform/api';
import { childLabels, componentObjectName, revisionObjectName } from '../rollout/names.ts';
import type { Route, RouteIntent } from '../rollout/snapshot.ts';
import { acceptanceOf, type RouteStatus } from './acceptance.ts';
import { BUCKETS, cookiePattern, headerPattern, splitBuckets } from './buckets.ts';

/** The part of gateway.networking.k8s.io/v1 HTTPRoute that we write and read. */
export interface HttpRoute extends KubeObject {
  spec?: {
    parentRefs?: ParentReference[];
    hostnames?: string[];
    rules?: Rule[];
  };
  status?: RouteStatus;
}

export interface ParentReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
  sectionName?: string;
  port?: number;
}

interface Rule {
  matches?: { path?: { type?: string; value?: string }; headers?: HeaderMatch[] }[];
  backendRefs?: { name: string; port?: number; weight?: number }[];
}

interface HeaderMatch {
  type?: string;
  name: string;
  value: string;
}

export const httpRoutes = resourceType<HttpRoute>('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes');

/** Whom a route belongs to. */
export interface RouteOwner {
  readonly name: string;
  readonly namespace: string;
  readonly reference: OwnerReference;
}

/** The HTTPRoute of an intent. */
export function toHttpRoute(owner: RouteOwner, intent: RouteIntent, resourceVersion: string | null): HttpRoute {
  const metadata: ObjectMeta = {
    name: componentObjectName(owner.name, intent.component),
    namespace: owner.namespace,
    labels: childLabels(owner.name, intent.component),
    ownerReferences: [owner.reference],
    ...(resourceVersion === null ? {} : { resourceVersion }),
  };
  return {
    apiVersion: httpRoutes.apiVersion,
    kind: httpRoutes.kind,
    metadata,
    spec: {
      parentRefs: [{ ...intent.parentRef }],
      ...(intent.hostnames.length === 0 ? {} : { hostnames: [...intent.hostnames] }),
      rules: rulesOf(owner.name, intent),
    },
  };
}

/**
 * The rules of an intent, the strongest first: the revision that a header asks for, the bucket in the header, the bucket in the cookie, the weights.
 *
 * That order is what decides. All rules have the same path, and each but the last one header match: Gateway API (HTTPRouteRule.matches) prefers the
 * longer path, then the method, then the larger number of header matches, and "if ties still exist within an HTTPRoute" the first rule in the list.
 * Hence one rule each for header and cookie: as two matches of one rule they would tie, and a bucket could be overruled by the other's.
 * At most 2 + 4 + 1 rules, of the 16 that the API allows.
 */
function rulesOf(ownerName: string, intent: RouteIntent): Rule[] {
  const path = { type: 'PathPrefix', value: intent.path };
  const service = (revision: string): string => revisionObjectName(ownerName, intent.component, revision);
  const sendTo = ({ revision, port }: Target, header: HeaderMatch): Rule => ({
    matches: [{ path, headers: [header] }],
    backendRefs: [{ name: service(revision), port }],
  });
  return [
    ...intent.byHeader.map((target) =>
      sendTo(target, { type: 'Exact', name: REVISION_HEADER, value: target.revision }),
    ),
    ...bucketTargets(intent).map(({ target, header }) => sendTo(target, header)),
    {
      matches: [{ path }],
      backendRefs: intent.backends.map(({ revision, port, weight }) => ({ name: service(revision), port, weight })),
    },
  ];
}

interface Target {
  readonly revision: string;
  readonly port: number;
}

/** Which buckets go where. A weight of 0 or 100 splits nothing and needs no rule. */
function bucketTargets({ stickiness, backends }: RouteIntent): { target: Target; header: HeaderMatch }[] {
  if (stickiness.by === 'None') return [];
  const update = backends.find(({ revision }) => revision === stickiness.update);
  const stable = backends.find(({ revision }) => revision === stickiness.stable);
  if (update === undefined || stable === undefined || update.weight <= 0 || update.weight >= BUCKETS) return [];
  const split = splitBuckets(update.weight);
  const sides = [
    { target: update, range: split.update },
    { target: stable, range: split.stable },
  ];
  const type = 'RegularExpression';
  return [
    ...sides.map(({ target, range }) => ({
      target,
      header: { type, name: BUCKET_HEADER, value: headerPattern(range) },
    })),
    ...sides.map(({ target, range }) => ({ target, header: { type, name: 'cookie', value: cookiePattern(range) } })),
  ];
}

/**
 * An HTTPRoute as the decision sees it.
 * @param ownerName name of the AssistantDeployment; its Services carry it, so the revision of a backend can be read.
 * @param component from the route's label.
 */
export function fromHttpRoute(ownerName: string, component: string, route: HttpRoute): Route {
  const intent = intentOf(ownerName, component, route);
  return {
    component,
    name: route.metadata.name,
    intent,
    generation: route.metadata.generation ?? 0,
    resourceVersion: route.metadata.resourceVersion ?? '',
    acceptance: acceptanceOf(route),
  };
}

/** Reads the intent back; null when somebody wrote something that is not ours. */
function intentOf(ownerName: string, component: string, route: HttpRoute): RouteIntent | null {
  const { parentRefs = [], hostnames = [], rules = [] } = route.spec ?? {};
  const [parent] = parentRefs;
  const weighted = rules.at(-1);
  const path = weighted?.matches?.[0]?.path?.value;
  if (parent === undefined || parentRefs.length !== 1 || weighted === undefined || path === undefined) return null;
  const prefix = revisionObjectName(ownerName, component, '');
  const targetOf = ({ name, port }: { name: string; port?: number }): Target | null =>
    name.startsWith(prefix) && port !== undefined ? { revision: name.slice(prefix.length), port } : null;
  const backends: RouteIntent['backends'][number][] = [];
  for (const reference of weighted.backendRefs ?? []) {
    const target = targetOf(reference);
    if (target === null) return null;
    backends.push({ ...target, weight: reference.weight ?? 1 });
  }
  const byHeader: Target[] = [];
  const byBucket: Target[] = [];
  for (const rule of rules.slice(0, -1)) {
    const [reference] = rule.backendRefs ?? [];
    const target = reference === undefined ? null : targetOf(reference);
    if (target === null) return null;
    (rule.matches?.[0]?.headers?.[0]?.name === REVISION_HEADER ? byHeader : byBucket).push(target);
  }
  const [update, stable] = byBucket;
  const { name, namespace, sectionName, port } = parent;
  const intent: RouteIntent = {
    component,
    path,
    parentRef: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(sectionName === undefined ? {} : { sectionName }),
      ...(port === undefined ? {} : { port }),
    },
    hostnames,
    backends,
    byHeader,
    stickiness:
      update === undefined || stable === undefined
        ? { by: 'None' }
        : { by: 'Bucket', update: update.revision, stable: stable.revision },
  };
  // What was guessed from a part of the rules must account for all of them.
  return isDeepStrictEqual(rules.map(essence), rulesOf(ownerName, intent).map(essence)) ? intent : null;
}

/** What a rule says, with the defaults of the API; fields that we do not write are left out. */
const essence = ({ matches = [], backendRefs = [] }: Rule) => ({
  matches: matches.map(({ path, headers = [] }) => ({
    path: [path?.type ?? 'PathPrefix', path?.value ?? '/'],
    headers: headers.map(({ type = 'Exact', name, value }) => [type, name.toLowerCase(), value]),
  })),
  backendRefs: backendRefs.map(({ name, port, weight = 1 }) => [name, port, weight]),
});
