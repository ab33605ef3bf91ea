// What makes a revision: the components' templates and the data of the ConfigMaps and Secrets they reference. One hash for the whole set.
import { digest } from './digest.ts';
import { renderPodTemplate } from './podTemplate.ts';
import { copyName, referencesOfAll, renameReferences } from './references.ts';
import type { ComponentSpec, Release } from './release.ts';
import type { RevisionRecord, Subject } from './snapshot.ts';

/** The revision that the spec asks for now; or what it refers to that does not exist, so that no revision can be named. */
export type Target =
  | {
      readonly kind: 'Known';
      readonly hash: string;
      /** Its hash by spec and contents alone: as if nobody had asked for a restart or a way back. */
      readonly plain: string;
      readonly release: string;
      /** Asked for by an undo: what it refers to is what it was then. */
      readonly undone: boolean;
      /** Of the restart that made it; null: none did. */
      readonly restartedAt: string | null;
    }
  | { readonly kind: 'ReferencesMissing'; readonly missing: readonly string[]; readonly plain: string };

/** All pods of a revision were to be replaced; kept as an annotation (see orders.ts). */
export interface Restart {
  /** The time that the person gave, RFC 3339. */
  readonly at: string;
  /** Hash of the revision it was asked for. */
  readonly of: string;
}

/** An earlier revision is asked for with the contents that it had; kept as an annotation (see orders.ts). */
export interface Undo {
  /** The revision. */
  readonly to: string;
  /** Hash (`plain`) of the spec with the contents that there were when it was asked for: it counts as long as neither is edited. */
  readonly of: string;
}

/** What people asked for beside the spec. */
export interface Asked {
  readonly restart: Restart | null;
  readonly undo: Undo | null;
}

const NOTHING_ASKED: Asked = { restart: null, undo: null };

type References = Readonly<Record<string, string | null>>;

/**
 * Names the revision of a spec. Not part of it: replicas, paths, the release label, the strategy; changing them moves no pod.
 * @param references `ConfigMap/name` or `Secret/name` -> digest of its data, null when absent.
 * @param asked a restart: the same spec, another revision; a way back: an earlier revision with the contents that it had.
 * @param isRecorded whether there is a record of a revision; without one there is no way back to it.
 */
export function targetOf(
  release: Release,
  references: References,
  { restart, undo }: Asked = NOTHING_ASKED,
  isRecorded: (hash: string) => boolean = () => true,
): Target {
  const used = referencesOfAll(release.components);
  const parts = { inputs: inputsOf(release), contents: contentsOf(used, references) };
  const plain = digest(parts, 8);
  const known = { kind: 'Known', plain, release: release.release, undone: false, restartedAt: null } as const;
  // Both count for the spec and the contents that they were asked for; others replace all pods anyway.
  if (undo?.of === plain && isRecorded(undo.to)) return { ...known, hash: undo.to, undone: true };
  const missing = used.filter((reference) => (references[reference] ?? null) === null);
  if (missing.length > 0) return { kind: 'ReferencesMissing', missing, plain };
  if (restart?.of !== plain) return { ...known, hash: plain };
  return { ...known, hash: restartedHash(parts, restart.at), restartedAt: restart.at };
}

/** Whether a spec is the one that a revision was made of, whatever the contents that it refers to are by now. */
export function isMadeOf(
  release: Release,
  { hash, references, restartedAt }: Pick<RevisionRecord, 'hash' | 'references' | 'restartedAt'>,
): boolean {
  const parts = { inputs: inputsOf(release), contents: contentsOf(referencesOfAll(release.components), references) };
  return hash === (restartedAt === undefined ? digest(parts, 8) : restartedHash(parts, restartedAt));
}

const restartedHash = (parts: object, restartedAt: string): string => digest({ ...parts, restartedAt }, 8);

const inputsOf = ({ components }: Release): object =>
  Object.fromEntries(Object.entries(components).map(([name, component]) => [name, templateInputs(component)]));

const contentsOf = (used: readonly string[], references: References): object =>
  Object.fromEntries(used.map((reference) => [reference, references[reference] ?? null]));

function templateInputs(component: ComponentSpec): unknown {
  const { image, port, adminPort, env, envFrom, resources, template } = component;
  return { image, port, adminPort, env, envFrom, resources, template };
}

/**
 * The record of the revision that the spec asks for now: finished pod templates, which read the revision's own copies of what they refer to, and the
 * parts of the spec that made it. Kept as long as the revision is remembered.
 */
export function makeRecord(
  subject: Subject,
  { hash, restartedAt }: Pick<Extract<Target, { kind: 'Known' }>, 'hash' | 'restartedAt'>,
  references: References,
  sequence: number,
): RevisionRecord {
  const { name: subjectName, release } = subject;
  const used = referencesOfAll(release.components);
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
    ...(restartedAt === null ? {} : { restartedAt }),
  };
}
