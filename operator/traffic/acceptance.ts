// What gateways say about a route: accepted for this generation, refused with a reason, or nothing yet.
// Gateway API: RouteParentStatus; conditions Accepted and ResolvedRefs, each with the generation it speaks of.
import type { RouteAcceptance } from '../rollout/snapshot.ts';
import type { HttpRoute, ParentReference } from './httpRoute.ts';

export interface RouteStatus {
  parents?: { parentRef: ParentReference; controllerName?: string; conditions?: RouteCondition[] }[];
}

interface RouteCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  observedGeneration?: number;
}

/**
 * Acceptance by the parent that the spec names. Where several controllers speak for it (the class was changed), one that accepts is enough:
 * the others are about to take their entries away.
 */
export function acceptanceOf(route: HttpRoute): RouteAcceptance {
  const generation = route.metadata.generation ?? 0;
  const namespace = route.metadata.namespace ?? '';
  const wanted = route.spec?.parentRefs ?? [];
  const entries = (route.status?.parents ?? []).filter(({ parentRef }) =>
    wanted.some((ref) => isSame(ref, parentRef, namespace)),
  );
  const said = entries.map(({ conditions = [] }) => judge(conditions, generation));
  return (
    said.find(({ kind }) => kind === 'Accepted') ??
    said.find(({ kind }) => kind === 'Refused') ??
    said[0] ?? { kind: 'Pending', earlier: false }
  );
}

function isSame(a: ParentReference, b: ParentReference, namespace: string): boolean {
  return (
    a.name === b.name &&
    (a.namespace ?? namespace) === (b.namespace ?? namespace) &&
    (a.sectionName ?? '') === (b.sectionName ?? '') &&
    (a.kind ?? 'Gateway') === (b.kind ?? 'Gateway')
  );
}

function judge(conditions: readonly RouteCondition[], generation: number): RouteAcceptance {
  const find = (type: string): RouteCondition | undefined => conditions.find((condition) => condition.type === type);
  const both = [find('Accepted'), find('ResolvedRefs')];
  const earlier = both.every((condition) => condition?.status === 'True');
  const current = both.filter(
    (condition) => condition !== undefined && (condition.observedGeneration ?? 0) >= generation,
  );
  const refusal = current.find((condition) => condition?.status === 'False');
  if (refusal !== undefined) {
    return {
      kind: 'Refused',
      reason: refusal.reason ?? refusal.type,
      message: refusal.message ?? 'the gateway gives no message',
    };
  }
  return earlier && current.length === both.length ? { kind: 'Accepted' } : { kind: 'Pending', earlier };
}
