// Verbs (annotations by people) become orders: one atomic write removes the verb and notes what it means, naming the very step it was meant
// for. So an order can be read any number of times and is carried out once: a kill between any two writes neither loses nor repeats it.
import { cut } from './cut.ts';
import { stagesHash, stagesOf } from './stages.ts';
import { VERBS } from '@assistant-platform/api';
import { ORDER_ANNOTATION, RESTART_ANNOTATION, UNDO_ANNOTATION } from './names.ts';
import { isMadeOf, type Asked, type Restart, type Undo } from './revision.ts';
import type { Facts } from './facts.ts';
import type { Progress } from './state.ts';
import { listed } from './words.ts';

export type Order =
  /** Pass stage `index` of this revision's rollout, or all of them. */
  | { readonly verb: 'promote'; readonly revision: string; readonly stepsHash: string; readonly index: number | 'full' }
  | { readonly verb: 'abort'; readonly revision: string; readonly reason: string; readonly at: string }
  /** Start over the rollout that was aborted at this time. */
  | { readonly verb: 'retry'; readonly revision: string; readonly abortedAt: string };

/** The change of the object's annotations that turns verbs into an order; null when no verb is there. */
export interface OrderWrite {
  readonly annotations: Readonly<Record<string, string | null>>;
  /** What is told to the person. */
  readonly note: string;
}

/** Reads the order in force. Text that is not ours is no order. */
export function readOrder(annotations: Readonly<Record<string, string>>): Order | null {
  const text = annotations[ORDER_ANNOTATION];
  if (text === undefined) return null;
  try {
    const value = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    return value !== null && typeof value['revision'] === 'string' && isWhole(value)
      ? (value as unknown as Order)
      : null;
  } catch {
    return null; // written by somebody else; the next verb replaces it
  }
}

/** What stands in the annotation becomes part of the status: half an order, or a time that is none, could not be stored. */
function isWhole({ verb, stepsHash, index, reason, at, abortedAt }: Partial<Record<string, unknown>>): boolean {
  switch (verb) {
    case 'promote':
      return typeof stepsHash === 'string' && (index === 'full' || typeof index === 'number');
    case 'abort':
      return typeof reason === 'string' && typeof at === 'string' && !Number.isNaN(Date.parse(at));
    case 'retry':
      return typeof abortedAt === 'string';
    default:
      return false;
  }
}

/**
 * The change that removes an order or a way back that nobody can mean any more; null when there is none. Its revision is not asked for now: whoever asks
 * for it again later asks for a rollout of its own. Or the steps are others than those that were to be passed: the same ones later begin anew, and so do
 * their gates.
 */
export function dropOrder({ subject: { annotations }, target, release }: Facts): OrderWrite['annotations'] | null {
  // A way back ends when spec or contents are edited; should they be the same again one day, they mean what they say.
  if (annotations[UNDO_ANNOTATION] !== undefined && readUndo(annotations)?.of !== target.plain)
    return { [UNDO_ANNOTATION]: null };
  const order = readOrder(annotations);
  if (order === null || target.kind !== 'Known') return null;
  const past = target.hash !== order.revision;
  const edited = order.verb === 'promote' && order.stepsHash !== stagesHash(release.strategy);
  return past || edited ? { [ORDER_ANNOTATION]: null } : null;
}

/** The restart in force. Text that is not ours is none. */
export function readRestart(annotations: Annotations): Restart | null {
  const { at, of } = readTexts(annotations[RESTART_ANNOTATION]);
  return at === undefined || of === undefined ? null : { at, of };
}

/** The way back in force. Text that is not ours is none. */
function readUndo(annotations: Annotations): Undo | null {
  const { to, of } = readTexts(annotations[UNDO_ANNOTATION]);
  return to === undefined || of === undefined ? null : { to, of };
}

/** What people asked for beside the spec. */
export const readAsked = (annotations: Annotations): Asked => ({
  restart: readRestart(annotations),
  undo: readUndo(annotations),
});

type Annotations = Readonly<Record<string, string>>;

/** The members of a JSON object that are text; none where it is something else: written by somebody else, and replaced by the next of ours. */
function readTexts(json: string | undefined): Partial<Record<string, string>> {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, member]) => typeof member === 'string'));
  } catch {
    return {};
  }
}

/** A restart is no order to a rollout: it makes another revision of the same spec, which is then released as any other. */
function takeRestart(f: Facts): OrderWrite | null {
  const {
    subject: { annotations },
    target,
  } = f;
  const value = annotations[VERBS.restart];
  if (value === undefined) return null;
  const removal = { [VERBS.restart]: null };
  if (target.kind !== 'Known') return { annotations: removal, note: `no restart: ${listed(target.missing)} missing` };
  if (Number.isNaN(Date.parse(value))) {
    return { annotations: removal, note: `no restart: "${value}" is no time; write one such as 2026-01-31T12:00:00Z` };
  }
  if (target.undone && !holdsContentsOf(f, target.hash)) {
    const why = 'runs with contents that its ConfigMaps and Secrets do not hold any more';
    return { annotations: removal, note: `no restart: ${target.release} ${why}; give them these contents first` };
  }
  const restart: Restart = { at: value, of: target.plain };
  return {
    // A way back would outrank it, and has nothing left to restore.
    annotations: {
      ...removal,
      ...(target.undone ? { [UNDO_ANNOTATION]: null } : {}),
      [RESTART_ANNOTATION]: JSON.stringify(restart),
    },
    note: `restart of ${target.release} taken: all pods are replaced in a rollout`,
  };
}

/** The ConfigMaps and Secrets hold what a revision read. */
const holdsContentsOf = (f: Facts, hash: string): boolean =>
  Object.entries(f.record(hash)?.references ?? {}).every(([name, data]) => f.snapshot.references[name] === data);

/** The spec is that of an earlier revision again: what it refers to is to be that revision's, too. */
function takeUndo(f: Facts): OrderWrite | null {
  const {
    subject: { annotations, release },
    target,
  } = f;
  const to = annotations[VERBS.undo];
  if (to === undefined) return null;
  const removal = { [VERBS.undo]: null };
  const refused = (why: string): OrderWrite => ({ annotations: removal, note: `no undo: ${why}` });
  const wanted = f.record(to);
  if (wanted === null) return refused(`there is no record of revision ${to}`);
  if (!isMadeOf(release, wanted)) return refused(`the spec is not that of revision ${to}`);
  const note = `undo taken: revision ${to} (${wanted.release}) with the contents that it had`;
  if (target.kind === 'Known' && target.hash === to) return { annotations: removal, note };
  const undo: Undo = { to, of: target.plain };
  return { annotations: { ...removal, [UNDO_ANNOTATION]: JSON.stringify(undo) }, note };
}

/** Turns the verbs that are there into one order. Abort outranks the others; a verb that means nothing now is removed and answered. */
export function takeVerbs(f: Facts, p: Progress, now: number): OrderWrite | null {
  const { annotations } = f.subject;
  const present = [VERBS.abort, VERBS.retry, VERBS.promote].flatMap((verb) => {
    const value = annotations[verb];
    return value === undefined ? [] : [{ verb, value }];
  });
  const [first] = present;
  if (first === undefined) return takeUndo(f) ?? takeRestart(f);
  const removal = Object.fromEntries(present.map(({ verb }) => [verb, null]));
  const meaning = interpret(first.verb, first.value, f, p, now);
  if (typeof meaning === 'string') return { annotations: removal, note: meaning };
  return {
    annotations: { ...removal, [ORDER_ANNOTATION]: JSON.stringify(meaning) },
    note: `${meaning.verb} of revision ${meaning.revision} taken`,
  };
}

/** A log as the reason of an abort would not fit into the status: it is for people, and nothing may keep the abort from being stored. */
const REASON_LENGTH = 1000;

function interpret(verb: string, value: string, f: Facts, p: Progress, now: number): Order | string {
  if (p.stable === null) return 'nothing to promote, abort or retry: the first release takes no steps';
  const revision = f.target.kind === 'Known' ? f.target.hash : p.update?.hash;
  if (revision === undefined || revision === p.stable.hash)
    return `nothing is being rolled out: ${p.stable.release} is stable`;
  if (verb === VERBS.abort) {
    if (p.abort !== null && p.update?.hash === revision) return 'already aborted';
    return {
      verb: 'abort',
      revision,
      reason: value === '' ? 'no reason given' : cut(value, REASON_LENGTH),
      at: new Date(now).toISOString(),
    };
  }
  if (verb === VERBS.retry) {
    if (p.abort === null || p.update?.hash !== revision) return 'nothing to retry: the rollout is not aborted';
    return { verb: 'retry', revision, abortedAt: p.abort.at };
  }
  if (p.abort !== null && p.update?.hash === revision) return 'the rollout is aborted: retry it, or edit the spec';
  const stepsHash = stagesHash(f.release.strategy);
  if (value === 'full') return { verb: 'promote', revision, stepsHash, index: 'full' };
  const stages = stagesOf(f.release.strategy);
  const index = p.update?.hash === revision && p.step?.stepsHash === stepsHash ? p.step.index : 0;
  // A weight is never left unverified: promoting while it is being set passes the wait that follows it.
  const setting = stages[index]?.kind === 'SetWeight' && stages[index + 1]?.kind !== 'SetWeight';
  return { verb: 'promote', revision, stepsHash, index: setting ? index + 1 : index };
}
