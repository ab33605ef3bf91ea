// The resources that the operator watches and writes, beside those the runtime describes.
import { API_VERSION, ASSISTANT_DEPLOYMENT, type AssistantDeployment } from '@assistant-platform/api';
import { type KubeObject, resourceType } from '@assistant-platform/runtime';
import type { RevisionRecord } from '../rollout/snapshot.ts';

/** The custom resource as the API server stores it. */
export type StoredAssistantDeployment = KubeObject & Pick<AssistantDeployment, 'spec' | 'status'>;

export const assistantDeployments = resourceType<StoredAssistantDeployment>(
  API_VERSION,
  ASSISTANT_DEPLOYMENT.kind,
  ASSISTANT_DEPLOYMENT.plural,
);

/** apps/v1 ControllerRevision with our data in it. */
export interface ControllerRevision extends KubeObject {
  revision: number;
  /** Records of earlier operators lack references and source. */
  data?: Pick<RevisionRecord, 'hash' | 'release' | 'components'> &
    Partial<Pick<RevisionRecord, 'references' | 'source' | 'restartedAt'>>;
}

export const controllerRevisions = resourceType<ControllerRevision>(
  'apps/v1',
  'ControllerRevision',
  'controllerrevisions',
);
