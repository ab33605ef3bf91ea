// A write of the operator as a line of a schedule's log.
import type { KubeObject } from '@assistant-platform/runtime';
import type { Status } from '../../../operator/rollout/state.ts';
import type { HttpRoute } from '../../../operator/traffic/httpRoute.ts';
import type { Change } from '../server/server.ts';

/** What was written, and what it says. */
export const writeLine = ({ type, resource, object }: Change): string =>
  `${type} ${resource.split('.')[0] ?? ''} ${object.metadata.name} ${detail(resource, object)}`;

function detail(resource: string, object: KubeObject): string {
  switch (resource) {
    case 'assistantdeployments.assistant-platform.io':
      return statusLine((object as { status?: Status }).status ?? {});
    case 'httproutes.gateway.networking.k8s.io':
      return ((object as HttpRoute).spec?.rules?.at(-1)?.backendRefs ?? [])
        .map(({ name, weight }) => `${name}:${weight ?? 1}`)
        .join(' ');
    case 'deployments.apps':
      return `replicas ${(object as { spec?: { replicas?: number } }).spec?.replicas ?? 1}`;
    default:
      return '';
  }
}

function statusLine({ phase, stableRevision, updateRevision, step, weight, blockedBy = [] }: Status): string {
  const revisions = `${stableRevision?.hash ?? '-'}>${updateRevision?.hash ?? '-'}`;
  const carried = `${weight?.requested ?? '-'}/${weight?.routed ?? '-'}`;
  return `${phase ?? ''} ${revisions} step ${step?.index ?? '-'} weight ${carried} ${blockedBy.map(({ reason }) => reason).join(',')}`;
}
