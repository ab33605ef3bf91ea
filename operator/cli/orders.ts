// Orders on their way: verbs are written as annotations, and gone as soon as the operator has taken them, within a second.
import { VERBS, type AssistantDeployment, type Verb } from '@assistant-platform/api';

/** The verbs that the operator has not taken yet. */
export const untakenVerbs = ({ metadata }: AssistantDeployment): readonly Verb[] =>
  (Object.keys(VERBS) as Verb[]).filter((verb) => metadata.annotations?.[VERBS[verb]] !== undefined);

/** What the operator has not done: "has not taken the order to abort yet"; null when it has taken all. */
export function notTaken(object: AssistantDeployment): string | null {
  const verbs = untakenVerbs(object);
  return verbs.length === 0 ? null : `has not taken the order to ${verbs.join(' and ')} yet`;
}
