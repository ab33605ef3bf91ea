// Contents of the ConfigMaps and Secrets that components refer to, as digests: the operator keeps no foreign secret in memory.
import { LABELS } from '@assistant-platform/api';
import type { ConfigMap, KubeObject, ObjectRef, Secret } from '@assistant-platform/runtime';
import { digest } from '../rollout/digest.ts';
import type { Release } from '../rollout/release.ts';
import { adminSecretName } from '../rollout/names.ts';
import type { CopyObject } from '../rollout/snapshot.ts';
import { referencesOfAll } from '../rollout/references.ts';
import { leanMetadata } from './lean.ts';
import type { StoredAssistantDeployment } from './resources.ts';

const CONTENT = 'digest';

/** Informer transform: of a ConfigMap only the digest of its data stays. */
export function trimConfigMap(configMap: ConfigMap): ConfigMap {
  const { binaryData: _binaryData, ...rest } = configMap;
  return { ...leanMetadata(rest), data: { [CONTENT]: configMapDigest(configMap) } };
}

/** Informer transform: of a Secret only the digest of its data stays, unless it is the one with our admin token. */
export function trimSecret(secret: Secret): Secret {
  const { name, labels: { [LABELS.name]: owner } = {} } = secret.metadata;
  if (owner !== undefined && name === adminSecretName(owner)) return secret;
  return { ...leanMetadata(secret), data: { [CONTENT]: secretDigest(secret) } };
}

/** Digests of the data of an object as the API server has it. */
export const configMapDigest = ({ data, binaryData }: ConfigMap): string => digest({ data, binaryData }, 16);
export const secretDigest = ({ data }: Secret): string => digest(data, 16);

/** The copies that belong to an AssistantDeployment. */
export function copiesOf(objects: readonly KubeObject[], kind: CopyObject['kind']): CopyObject[] {
  return objects.flatMap(({ metadata }) => {
    const revision = metadata.labels?.[LABELS.revision];
    return revision === undefined ? [] : [{ kind, name: metadata.name, revision }];
  });
}

interface Source<T> {
  get(ref: ObjectRef): T | undefined;
}

/** `ConfigMap/name` or `Secret/name` -> digest of its data, null when it does not exist: what the release refers to. */
export function contentsOf(
  release: Release,
  namespace: string,
  sources: { configMaps: Source<ConfigMap>; secrets: Source<Secret> },
): Record<string, string | null> {
  return Object.fromEntries(
    referencesOfAll(release.components).map((reference) => {
      const [kind, name = ''] = reference.split('/');
      const object = (kind === 'ConfigMap' ? sources.configMaps : sources.secrets).get({ namespace, name });
      return [reference, object === undefined ? null : (object.data?.[CONTENT] ?? digest(object.data, 16))];
    }),
  );
}

/** Indexer: the objects that an AssistantDeployment refers to, as {@link referenceKey} names them. From the spec as it is stored: cheap. */
export function referenceKeysOf({ metadata, spec }: StoredAssistantDeployment): string[] {
  return referencesOfAll(spec.components as RawTemplates).map(
    (reference) => `${metadata.namespace ?? ''}/${reference}`,
  );
}

/** What may hold references, before defaults. */
type RawTemplates = Parameters<typeof referencesOfAll>[0];

export const referenceKey = ({ kind, metadata }: KubeObject): string =>
  `${metadata.namespace ?? ''}/${kind}/${metadata.name}`;
