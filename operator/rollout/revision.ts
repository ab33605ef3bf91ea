// What makes a revision: the components' templates and the data of the ConfigMaps and Secrets they reference. One hash for the whole set.
import { digest } from './digest.ts';
import { renderPodTemplate } from './podTemplate.ts';
import type { ComponentSpec, Release } from './release.ts';
import type { RevisionRecord } from './snapshot.ts';

/** The revision that the spec asks for now; or what it refers to that does not exist, so that no revision can be named. */
export type Target =
  | { readonly kind: 'Known'; readonly hash: string; readonly release: string }
  | { readonly kind: 'ReferencesMissing'; readonly missing: readonly string[] };

type References = Readonly<Record<string, string | null>>;

/**
 * Names the revision of a spec. Not part of it: replicas, paths, the release label, the strategy; changing them moves no pod.
 * @param references `ConfigMap/name` or `Secret/name` -> digest of its data, null when absent.
 */
export function targetOf(release: Release, references: References): Target {
  const used = [...new Set(Object.values(release.components).flatMap(referencesOf))].sort();
  const missing = used.filter((reference) => (references[reference] ?? null) === null);
  if (missing.length > 0) return { kind: 'ReferencesMissing', missing };
  const inputs = Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [name, templateInputs(component)]),
  );
  const contents = Object.fromEntries(used.map((reference) => [reference, references[reference]]));
  return { kind: 'Known', hash: digest({ inputs, contents }, 8), release: release.release };
}

function templateInputs(component: ComponentSpec): unknown {
  const { image, port, adminPort, env, envFrom, resources, template } = component;
  return { image, port, adminPort, env, envFrom, resources, template };
}

/** The ConfigMaps and Secrets that a component's env, envFrom and template volumes name, those marked optional left out. */
export function referencesOf(component: ComponentSpec): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const map = value as Record<string, unknown>;
    add('ConfigMap', map['configMapRef'] ?? map['configMapKeyRef'] ?? map['configMap'], 'name');
    add('Secret', map['secretRef'] ?? map['secretKeyRef'], 'name');
    add('Secret', map['secret'], 'secretName');
    Object.values(map).forEach(visit);
  };
  const add = (kind: string, reference: unknown, key: string): void => {
    if (typeof reference !== 'object' || reference === null) return;
    const map = reference as Record<string, unknown>;
    const name = map[key] ?? map['name'];
    if (typeof name === 'string' && map['optional'] !== true) found.push(`${kind}/${name}`);
  };
  visit([component.env, component.envFrom, component.template]);
  return [...new Set(found)].sort();
}

/** The record of the revision that the spec asks for now: finished pod templates, kept as long as the revision is remembered. */
export function makeRecord(subjectName: string, hash: string, release: Release, sequence: number): RevisionRecord {
  const components = Object.fromEntries(
    Object.entries(release.components).map(([component, spec]) => [
      component,
      {
        port: spec.port,
        adminPort: spec.adminPort,
        template: renderPodTemplate({ subjectName, component, hash, release: release.release, spec }),
      },
    ]),
  );
  return { hash, release: release.release, sequence, components };
}
