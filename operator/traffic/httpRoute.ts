// Gateway API: what a route should be, as an HTTPRoute, and what an HTTPRoute is, in our words. Nothing else in the operator knows its shape.
import type { KubeObject, ObjectMeta, OwnerReference } from '@assistant-platform/runtime';
import { resourceType } from '@assistant-platform/runtime';
import { REVISION_HEADER } from '@assistant-platform/api';
import { childLabels, componentObjectName, revisionObjectName } from '../rollout/names.ts';
import type { Route, RouteIntent } from '../rollout/snapshot.ts';
import { acceptanceOf, type RouteStatus } from './acceptance.ts';

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
  matches?: { path?: { type?: string; value?: string }; headers?: { type?: string; name: string; value: string }[] }[];
  backendRefs?: { name: string; port?: number; weight?: number }[];
}

export const httpRoutes = resourceType<HttpRoute>('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes');

/** Whom a route belongs to. */
export interface RouteOwner {
  readonly name: string;
  readonly namespace: string;
  readonly reference: OwnerReference;
}

/**
 * The HTTPRoute of an intent. First a rule for each revision that the header may choose, then the rule that splits by weight: a rule with
 * more matches wins anyway (Gateway API, precedence of rules), the order says it to people.
 */
export function toHttpRoute(owner: RouteOwner, intent: RouteIntent, resourceVersion: string | null): HttpRoute {
  const path = { type: 'PathPrefix', value: intent.path };
  const backend = (revision: string, port: number) => ({
    name: revisionObjectName(owner.name, intent.component, revision),
    port,
  });
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
      rules: [
        ...intent.byHeader.map(({ revision, port }) => ({
          matches: [{ path, headers: [{ type: 'Exact', name: REVISION_HEADER, value: revision }] }],
          backendRefs: [backend(revision, port)],
        })),
        {
          matches: [{ path }],
          backendRefs: intent.backends.map(({ revision, port, weight }) => ({ ...backend(revision, port), weight })),
        },
      ],
    },
  };
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
  const revisionOf = (name: string): string | null => (name.startsWith(prefix) ? name.slice(prefix.length) : null);
  const backends: RouteIntent['backends'][number][] = [];
  for (const { name, port, weight } of weighted.backendRefs ?? []) {
    const revision = revisionOf(name);
    if (revision === null || port === undefined) return null;
    backends.push({ revision, weight: weight ?? 1, port });
  }
  const byHeader: RouteIntent['byHeader'][number][] = [];
  for (const rule of rules.slice(0, -1)) {
    const [match] = rule.matches ?? [];
    const [header] = match?.headers ?? [];
    const [target] = rule.backendRefs ?? [];
    const revision = target === undefined ? null : revisionOf(target.name);
    const ours = header?.name === REVISION_HEADER && header.value === revision && match?.path?.value === path;
    if (!ours || target?.port === undefined) return null;
    byHeader.push({ revision, port: target.port });
  }
  const { name, namespace, sectionName, port } = parent;
  return {
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
  };
}
