// The part of Kubernetes' strategic merge patch that a pod template needs: maps are merged, lists of named things by their key, null removes.
// Source: sigs.k8s.io/structured-merge-diff keys of corev1.PodSpec ("patchMergeKey" in k8s.io/api/core/v1/types.go).

/** Merge key of a list, by the name of the field that holds it. Lists that are not here are replaced as a whole. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
};

type Json = Record<string, unknown>;

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns `base` changed by `patch`; neither is modified. `{"$patch":"delete", <key>}` removes an item of a keyed list. */
export function strategicMerge(base: Readonly<Json>, patch: Readonly<Json>): Json {
  const result: Json = { ...base };
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) {
      Reflect.deleteProperty(result, key);
      continue;
    }
    const before = result[key];
    const mergeKey = MERGE_KEYS[key];
    if (isMap(change)) result[key] = strategicMerge(isMap(before) ? before : {}, change);
    else if (Array.isArray(change) && Array.isArray(before) && mergeKey !== undefined) {
      result[key] = mergeList(before, change, mergeKey);
    } else result[key] = change;
  }
  return result;
}

function mergeList(base: readonly unknown[], patch: readonly unknown[], mergeKey: string): unknown[] {
  const result = [...base];
  for (const item of patch) {
    if (!isMap(item)) {
      result.push(item);
      continue;
    }
    const at = result.findIndex((other) => isMap(other) && other[mergeKey] === item[mergeKey]);
    const before = result[at];
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (isMap(before)) result[at] = strategicMerge(before, item);
    else result.push(item);
  }
  return result;
}
