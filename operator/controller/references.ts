// Contents of the ConfigMaps and Secrets that components refer to, as digests: the operator keeps no foreign secret in memory.
import { LABELS } from '@assistant-platform/api';
import type { ConfigMap, KubeObject, ObjectRef, Secret } from '@assistant-platform/runtime';
import { digest } from '../rollout/digest.ts';
import type { Release } from '../rollout/release.ts';
import { referencesOf } from '../rollout/revision.ts';

const CONTENT = 'digest';

/** Informer transform: of a ConfigMap only the digest of its data stays. */
export function trimConfigMap(configMap: ConfigMap): ConfigMap {
  const { binaryData, ...rest } = configMap;
  return { ...rest, data: { [CONTENT]: digest({ data: configMap.data, binaryData }, 16) } };
}

/** Informer transform: of a Secret only the digest of its data stays, unless it is one of ours. */
export function trimSecret(secret: Secret): Secret {
  if (secret.metadata.labels?.[LABELS.name] !== undefined) return secret;
  return { ...secret, data: { [CONTENT]: digest(secret.data, 16) } };
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
  const references = [...new Set(Object.values(release.components).flatMap(referencesOf))];
  return Object.fromEntries(
    references.map((reference) => {
      const [kind, name = ''] = reference.split('/');
      const object = (kind === 'ConfigMap' ? sources.configMaps : sources.secrets).get({ namespace, name });
      return [reference, object === undefined ? null : (object.data?.[CONTENT] ?? digest(object.data, 16))];
    }),
  );
}

/** Whether the release refers to this object. */
export const refersTo = (release: Release, object: KubeObject): boolean =>
  Object.values(release.components).some((component) =>
    referencesOf(component).includes(`${object.kind}/${object.metadata.name}`),
  );
