// The records of revisions (ControllerRevisions that the operator makes), and the way back to one of them. Pure but for what is passed in.
import type { AssistantDeployment, AssistantDeploymentSpec, ComponentSpec } from '@assistant-platform/api';
import { isPromoted, isSame } from '@assistant-platform/operator/rollout';
import { changesBetween } from './changes.ts';
import { CommandError } from './errors.ts';
import { withStoredDefaults } from './schema.ts';

/** The part of apps/v1 ControllerRevision that is read here. */
export interface RawRecord {
  readonly revision?: number;
  readonly metadata?: { readonly name?: string; readonly creationTimestamp?: Date | string };
  readonly data?: unknown;
}

/** What is remembered of a revision. */
export interface RevisionRecord {
  readonly hash: string;
  readonly release: string;
  /** Rises with every new revision. */
  readonly sequence: number;
  /** The parts of the spec that made it; null: recorded by an operator that did not keep them. */
  readonly source: RevisionSource | null;
  /** `ConfigMap/name` or `Secret/name` -> digest of the data that it was made with. */
  readonly references: Readonly<Record<string, string>>;
  /** Where a restart made it: the time of asking. */
  readonly restartedAt?: string;
}

export interface RevisionSource {
  readonly release: string;
  readonly components: Readonly<Record<string, ComponentSpec>>;
}

interface RecordData {
  readonly hash?: unknown;
  readonly release?: unknown;
  readonly references?: unknown;
  readonly restartedAt?: unknown;
  readonly source?: { readonly release?: unknown; readonly components?: unknown } | null;
}

/** Reads a record; null when it is none of ours. */
export function readRecord({ revision = 0, data }: RawRecord): RevisionRecord | null {
  const { hash, release, source, references, restartedAt } = (
    typeof data === 'object' && data !== null ? data : {}
  ) as RecordData;
  if (typeof hash !== 'string') return null;
  const components = source?.components;
  const usable = typeof components === 'object' && components !== null;
  return {
    hash,
    release: typeof release === 'string' ? release : '',
    sequence: revision,
    ...(typeof restartedAt === 'string' ? { restartedAt } : {}),
    references:
      typeof references === 'object' && references !== null ? (references as RevisionRecord['references']) : {},
    source: usable
      ? {
          release: typeof source?.release === 'string' ? source.release : typeof release === 'string' ? release : '',
          components: components as RevisionSource['components'],
        }
      : null,
  };
}

/** Where to go back to. */
export interface WayBack {
  readonly record: RevisionRecord & { readonly source: RevisionSource };
  /** Why this one, for people. */
  readonly because: string;
}

/**
 * Chooses the revision that `undo` goes back to: the one asked for; else, while a rollout is under way or aborted, the stable one; else
 * the last one that was promoted before the stable one and was made of something else (a restart makes another revision of the same).
 * @param to hash, the beginning of one, or a release label that only one record has.
 * @throws CommandError NothingToDo or NotFound, saying what there is.
 */
export function chooseWayBack(
  object: AssistantDeployment,
  records: readonly RevisionRecord[],
  to: string | undefined,
): WayBack {
  const { hash, because } =
    to === undefined ? previous(object, records) : { hash: findHash(records, to), because: 'asked for' };
  const { stableRevision, updateRevision } = object.status ?? {};
  if (hash === stableRevision?.hash && hash === updateRevision?.hash) {
    throw new CommandError('NothingToDo', `revision ${hash} is the stable one already, and nothing else is under way`);
  }
  const record = records.find((each) => each.hash === hash);
  if (record === undefined) {
    throw new CommandError(
      'NotFound',
      `the record of revision ${hash} is gone (spec.revisionHistoryLimit is ${object.spec.revisionHistoryLimit ?? 5}): apply its manifest again; ${known(records)}`,
    );
  }
  const { source } = record;
  if (source === null) {
    throw new CommandError(
      'NotFound',
      `the record of revision ${hash} (release ${record.release}) does not hold the spec that made it, because an older operator wrote it: apply its manifest again`,
    );
  }
  return { record: { ...record, source }, because };
}

function previous(
  { metadata, spec, status = {} }: AssistantDeployment,
  records: readonly RevisionRecord[],
): { hash: string; because: string } {
  const { stableRevision, updateRevision, history = [] } = status;
  if (stableRevision === undefined) {
    throw new CommandError(
      'NothingToDo',
      `${metadata.name} has no stable revision yet: there is nothing to go back to`,
    );
  }
  if (updateRevision !== undefined && updateRevision.hash !== stableRevision.hash) {
    return { hash: stableRevision.hash, because: `release ${updateRevision.release} is not stable yet` };
  }
  const present = records.find(({ hash }) => hash === stableRevision.hash);
  const earlier = history.find((entry) => {
    const { hash } = entry;
    if (hash === stableRevision.hash || !isPromoted(entry)) return false;
    const record = records.find((each) => each.hash === hash);
    if (record === undefined || record.source === null) return true;
    const hadOther = present !== undefined && !isSame(present.references, record.references);
    return hadOther || changesBetween(specOf(spec), specOf(goBack(spec, record.source))).length > 0;
  });
  if (earlier === undefined) {
    throw new CommandError(
      'NothingToDo',
      `no release before ${stableRevision.release} is remembered: name one with --to; kubectl assistant history ${metadata.name} lists them`,
    );
  }
  return { hash: earlier.hash, because: 'the last one before the stable one' };
}

function findHash(records: readonly RevisionRecord[], to: string): string {
  // It would be the label of a release that has none.
  if (to === '')
    throw new CommandError('BadUsage', `--to is empty: write a hash or a release label; ${known(records)}`);
  const exact = records.filter(({ hash }) => hash === to);
  const begins = to.length >= 3 ? records.filter(({ hash }) => hash.startsWith(to)) : [];
  const labelled = records.filter(({ release }) => release === to);
  const found = [exact, begins, labelled].find((list) => list.length > 0) ?? [];
  const [only, ...others] = found;
  if (only === undefined) {
    throw new CommandError('NotFound', `no revision "${to}" is remembered; ${known(records)}`);
  }
  if (others.length > 0) {
    throw new CommandError(
      'BadUsage',
      `"${to}" is not clear: it may be ${found.map(({ hash, release }) => `${hash} (${release})`).join(' or ')}`,
    );
  }
  return only.hash;
}

const known = (records: readonly RevisionRecord[]): string =>
  records.length === 0
    ? 'no revision is remembered'
    : `there are: ${records.map(({ hash, release }) => `${hash} (${release})`).join(', ')}`;

/** What runs, as it is stored: the label alone makes no difference. */
const specOf = (spec: Pick<AssistantDeploymentSpec, 'components'>): unknown =>
  withStoredDefaults({ ...spec, release: '' } as AssistantDeploymentSpec).components;

/**
 * The components and the label to write. How many pods run is no part of a release: replicas and autoscaling stay as they are now, so that
 * going back never takes away pods that the present load needs.
 */
export function goBack(
  spec: AssistantDeploymentSpec,
  source: RevisionSource,
): Pick<AssistantDeploymentSpec, 'release' | 'components'> {
  const components = Object.fromEntries(
    Object.entries(source.components).map(([name, component]): [string, ComponentSpec] => {
      const present = spec.components[name];
      if (present === undefined) return [name, component];
      const { replicas: _replicas, autoscaling: _autoscaling, ...released } = component;
      const { replicas, autoscaling } = present;
      return [
        name,
        {
          ...released,
          ...(replicas === undefined ? {} : { replicas }),
          ...(autoscaling === undefined ? {} : { autoscaling }),
        },
      ];
    }),
  );
  return { release: source.release, components };
}
