// What a command that acts has done: as a document, and in words. Pure.
import { VERBS, type AssistantDeployment, type Verb } from '@assistant-platform/api';
import { describeChange, withoutValues, type Change } from '../changes.ts';
import { untakenVerbs } from '../orders.ts';
import { printable } from './printable.ts';

/** Of every command that does something. With `-o json` it is printed as it is: the names are stable. */
export interface Done {
  /** The command. */
  readonly verb: string;
  readonly namespace: string;
  /** Of the AssistantDeployment, or the pod. */
  readonly name: string;
  /** Whether the object in the cluster is another one than before. */
  readonly changed: boolean;
  /** What happens now, in words. */
  readonly message: string;
}

/** Of a command that writes to an AssistantDeployment. */
export interface Outcome extends Done {
  /** What would be written was said, and nothing was written. */
  readonly dryRun: boolean;
  /** What was written, by field path (keys of maps in brackets, as the API server names fields). A side that is missing: the field was not there. */
  readonly changes: readonly Change[];
  /** What keeps it from happening, one sentence each. */
  readonly warnings: readonly string[];
}

/** What was done to an object. */
export interface Deed {
  readonly verb: string;
  readonly message: string;
  readonly changes: readonly Change[];
  readonly dryRun?: boolean;
  /** It moves a release forward, and so waits while spec.paused is true. */
  readonly waitsWhileHeld?: boolean;
}

/**
 * Puts an outcome together.
 * @param object as it was before.
 */
export function outcomeOf(object: AssistantDeployment, deed: Deed): Outcome {
  const { metadata, spec } = object;
  const { verb, message, changes, dryRun = false, waitsWhileHeld = false } = deed;
  const pending = untakenVerbs(object).map((each) => VERBS[each]);
  return {
    verb,
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    changed: !dryRun && changes.some(({ before, after }) => !Object.is(before, after)),
    dryRun,
    message,
    changes: changes.map(withoutValues),
    warnings: [
      ...(dryRun || pending.length === 0
        ? []
        : [`the operator has not taken the last order yet (${pending.join(', ')}): is it running?`]),
      ...(dryRun || !waitsWhileHeld || spec.paused !== true
        ? []
        : [`spec.paused is true: nothing moves until kubectl assistant resume ${metadata.name}`]),
    ],
  };
}

/** The change that writing a verb makes. @param object as it was before. */
export function verbChange({ metadata }: AssistantDeployment, verb: Verb, value: string): Change {
  const annotation = VERBS[verb];
  return { path: `metadata.annotations[${annotation}]`, before: metadata.annotations?.[annotation], after: value };
}

/** What was done and how to watch it. The fields are listed where they are many: those of `undo`. */
export function renderOutcome(outcome: Outcome): string[] {
  const { verb, namespace, name, dryRun, message, changes } = printable(outcome);
  const fields = verb === 'undo' ? changes.map((change) => `  ${describeChange(change)}`) : [];
  if (dryRun) return [`${name} would go ${message}; nothing was written:`, ...fields];
  return [...fields, `${name}: ${message}`, `watch it: kubectl assistant status ${name} -n ${namespace} --watch`];
}
