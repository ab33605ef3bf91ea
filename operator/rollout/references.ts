// ConfigMaps and Secrets that components refer to. Their data is part of a revision: each revision reads immutable copies of its own, so that a way
// back restores what the old pods read, and an edit reaches pods only through a rollout.
import { digest } from './digest.ts';
import { copyPrefix } from './names.ts';
import type { ComponentSpec } from './release.ts';

/** `ConfigMap/name` or `Secret/name`. */
export type Reference = string;

/** Names of API objects are at most so long. */
const NAME_LENGTH = 253;

/** The ConfigMaps and Secrets that a component's env, envFrom and template volumes name, those marked optional left out. */
export function referencesOf(component: Partial<Pick<ComponentSpec, 'env' | 'envFrom' | 'template'>>): Reference[] {
  const found = new Set<Reference>();
  renameReferences([component.env, component.envFrom, component.template], (reference) => {
    found.add(reference);
    return null;
  });
  return [...found].sort();
}

/** The same of several components together, each once, in order. */
export const referencesOfAll = (
  components: Readonly<Record<string, Parameters<typeof referencesOf>[0]>>,
): Reference[] => [...new Set(Object.values(components).flatMap(referencesOf))].sort();

/** The name of a revision's copy. */
export function copyName(subjectName: string, hash: string, reference: Reference): string {
  const [, original = ''] = reference.split('/');
  const prefix = copyPrefix(subjectName, hash);
  const name = `${prefix}${original}`;
  return name.length <= NAME_LENGTH ? name : `${prefix}${digest(original, 16)}`;
}

const FIELDS: Readonly<Record<string, { readonly kind: 'ConfigMap' | 'Secret'; readonly names: readonly string[] }>> = {
  configMapRef: { kind: 'ConfigMap', names: ['name'] },
  configMapKeyRef: { kind: 'ConfigMap', names: ['name'] },
  configMap: { kind: 'ConfigMap', names: ['name'] },
  secretRef: { kind: 'Secret', names: ['name'] },
  secretKeyRef: { kind: 'Secret', names: ['name'] },
  // A volume's Secret is named by secretName, that of a projection by name.
  secret: { kind: 'Secret', names: ['secretName', 'name'] },
};

/**
 * Any part of a pod template with its references renamed.
 * @param rename gives the new name, or null to leave it. References marked optional are left alone: a revision does not wait for them.
 */
export function renameReferences<T>(value: T, rename: (reference: Reference) => string | null): T {
  if (Array.isArray(value)) return value.map((each: unknown) => renameReferences(each, rename)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, renameReferences(renamed(key, inner, rename), rename)]),
  ) as T;
}

function renamed(key: string, value: unknown, rename: (reference: Reference) => string | null): unknown {
  const field = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
  if (field === undefined || typeof value !== 'object' || value === null) return value;
  const map = value as Record<string, unknown>;
  const member = field.names.find((name) => typeof map[name] === 'string');
  if (member === undefined || map['optional'] === true) return value;
  const name = rename(`${field.kind}/${map[member] as string}`);
  return name === null ? value : { ...map, [member]: name };
}
