// What a mistake is: one change to a valid object, and where a refusal must point.
import type { Chance } from '../../simulator/random.ts';
import type { Field, Json, Path } from '../schema.ts';

/** A kind of mistake at one place of the schema. It can be made in every object that has the place. */
export interface Site {
  /** Such as `TooLong`, `Rule`: what the counts are printed by. */
  readonly kind: string;
  readonly place: string;
  /** Which of several at this place: a missing member, a rule. */
  readonly detail: string;
  /** Makes it in one field; null when this very field does not allow it. */
  make(chance: Chance, field: Field, object: Json): Mistake | null;
}

export interface Mistake {
  readonly object: Json;
  /** The mistaken field. */
  readonly path: Path;
}

export const label = ({ kind, place, detail }: Site): string =>
  `${kind} at ${place === '' ? 'the root' : place}${detail === '' ? '' : ` (${detail})`}`;
