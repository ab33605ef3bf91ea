// What makes a revision: the components' templates and the data of the ConfigMaps and Secrets they reference. One hash for the whole set.
import { digest } from './digest.ts';
import { renderPodTemplate } from './podTemplate.ts';
import { copyName, referencesOf, renameReferences } from './references.ts';
import type { ComponentSpec, Release } from './release.ts';
import type { RevisionRecord, Subject } from './snapshot.ts';

/** The revision that the spec asks for now; or what it refers to that does not exist, so that no revision can be named. */
export type Target =
  /** `plain`: its hash if nobody had asked for a restart. */
  | { readonly kind: 'Known'; readonly hash: string; readonly plain: string; readonly release: string }
  | { readonly kind: 'ReferencesMissing'; readonly missing: readonly string[] };

/** All pods of a revision were to be replaced; kept as an annotation (see orders.ts). */
export interface Restart {
  /** The time that the person gave, RFC 3339. */
  readonly at: string;
  /** Hash of the revision it was asked for. */
  readonly of: string;
}

type References = Readonly<Record<string, string | null>>;

/**
 * Names the revision of a spec. Not part of it: replicas, paths, the release label, the strategy; changing them moves no pod.
 * @param references `ConfigMap/name` or `Secret/name` -> digest of its data, null when absent.
 * @param restart a person wanted all pods replaced: the same spec, another revision.
 */
export function targetOf(release: Release, references: References, restart: Restart | null = null): Target {
  const used = [...new Set(Object.values(release.components).flatMap(referencesOf))].sort();
  const missing = used.filter((reference) => (references[reference] ?? null) === null);
  if (missing.length > 0) return { kind: 'ReferencesMissing', missing };
  const inputs = Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [name, templateInputs(component)]),
  );
  const contents = Object.fromEntries(used.map((reference) => [reference, references[reference]]));
  const plain = digest({ inputs, contents }, 8);
  // It counts for the spec that it was asked for; another spec replaces all pods anyway.
  const hash = restart?.of === plain ? digest({ inputs, contents, restartedAt: restart.at }, 8) : plain;
  return { kind: 'Known', hash, plain, release: release.release };
}

function templateInputs(component: ComponentSpec): unknown {
  const { image, port, adminPort, env, envFrom, resources, template } = component;
  return { image, port, adminPort, env, envFrom, resources, template };
}

/**
 * The record of the revision that the spec asks for now: finished pod templates, which read the revision's own copies of what they refer to, and the
 * parts of the spec that made it. Kept as long as the revision is remembered.
 */
export function makeRecord(subject: Subject, hash: string, references: References, sequence: number): RevisionRecord {
  const { name: subjectName, release } = subject;
  const used = [...new Set(Object.values(release.components).flatMap(referencesOf))].sort();
  const components = Object.fromEntries(
    Object.entries(release.components).map(([component, spec]) => [
      component,
      {
        port: spec.port,
        adminPort: spec.adminPort,
        template: renameReferences(
          renderPodTemplate({
            ...{ subjectName, component, hash, spec },
            release: release.release,
            drain: release.drain,
          }),
          (reference) => (used.includes(reference) ? copyName(subjectName, hash, reference) : null),
        ),
      },
    ]),
  );
  const contents = used.flatMap((reference) => {
    const content = references[reference] ?? null;
    return content === null ? [] : [[reference, content] as const];
  });
  return {
    hash,
    release: release.release,
    sequence,
    components,
    references: Object.fromEntries(contents),
    source: subject.source,
  };
}
