// Mistakes of shape, by rule for every node of the schema: a wrong type, too small, too large, too long, not in the list, missing, unknown, twice.
import type { StructuralSchema } from '../../../operator/api/crd/structural.ts';
import { isJson, nodesOf, withValue, type Field, type Json, type Path } from '../schema.ts';
import type { Mistake, Site } from './mistake.ts';
import type { Chance } from '../../simulator/random.ts';

type Make = (chance: Chance, field: Field) => { readonly value: unknown; readonly at?: Path } | null;

/** Places that the API server itself judges before the schema does. */
const NOT_OURS = ['', 'apiVersion', 'kind', 'metadata'];

/** All mistakes of shape that the schema allows to make. */
export function shapeSites(root: StructuralSchema): Site[] {
  return nodesOf(root).flatMap(({ place, node }) =>
    NOT_OURS.includes(place)
      ? unknownAndMissing(place, node).filter(({ place: at, detail }) => at !== 'metadata' && detail !== 'metadata')
      : [
          ...ofType(place, node),
          ...ofRange(place, node),
          ...ofSize(place, node),
          ...ofList(place, node),
          ...unknownAndMissing(place, node),
        ],
  );
}

/** A site whose mistake is another value of the field. */
const site = (kind: string, place: string, make: Make, detail = ''): Site => ({
  kind,
  place,
  detail,
  make: (chance, field, object): Mistake | null => {
    const made = make(chance, field);
    if (made === null) return null;
    return { object: withValue(object, field.path, made.value), path: [...field.path, ...(made.at ?? [])] };
  },
});

const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  string: [7, true, ['a'], { a: 'b' }, 0.5],
  integer: ['7', 1.5, true, [1], { a: 1 }],
  boolean: ['true', 'yes', 1, [true], {}],
  object: ['text', 7, [], true],
  array: ['text', 7, {}, false],
  quantity: [true, [1], { a: 1 }, 1.5],
};

function ofType(place: string, node: StructuralSchema): Site[] {
  const type = node['x-kubernetes-int-or-string'] === true ? 'quantity' : (node.type ?? '');
  const wrong = WRONG[type];
  if (wrong === undefined) throw new Error(`${place}: no wrong values are known for type "${type}"`);
  return [site('WrongType', place, (chance) => ({ value: chance.pick(wrong) }))];
}

function ofRange(place: string, { minimum, maximum, enum: choices }: StructuralSchema): Site[] {
  return [
    ...(minimum === undefined
      ? []
      : [
          site('BelowMinimum', place, (chance) => ({
            value: chance.pick([minimum - 1, minimum - chance.integer(1, 1000), -2_147_483_648]),
          })),
        ]),
    ...(maximum === undefined
      ? []
      : [
          site('AboveMaximum', place, (chance) => ({
            value: chance.pick([maximum + 1, maximum + chance.integer(1, 1000), 2_147_483_647]),
          })),
        ]),
    ...(choices === undefined
      ? []
      : [
          site('UnknownChoice', place, (chance) => {
            const choice = String(chance.pick(choices));
            return { value: chance.pick([choice.toLowerCase(), ` ${choice}`, `${choice}s`, '', 'Other']) };
          }),
        ]),
  ];
}

function ofSize(place: string, node: StructuralSchema): Site[] {
  const { minLength, maxLength, minProperties, maxProperties } = node;
  return [
    ...(minLength === undefined ? [] : [site('TooShort', place, () => ({ value: 'a'.repeat(minLength - 1) }))]),
    ...(maxLength === undefined
      ? []
      : [site('TooLong', place, (chance) => ({ value: 'a'.repeat(maxLength + chance.pick([1, 1, 50])) }))]),
    ...(minProperties === undefined ? [] : [site('TooFewMembers', place, () => ({ value: {} }))]),
    ...(maxProperties === undefined
      ? []
      : [
          site('TooManyMembers', place, (_chance, { value }) => {
            const [first] = isJson(value) ? Object.values(value) : [];
            if (first === undefined) return null;
            const more = Array.from({ length: maxProperties + 1 }, (_each, index) => [`more-${index}`, first]);
            return { value: { ...(value as Json), ...Object.fromEntries(more) } };
          }),
        ]),
  ];
}

function ofList(place: string, node: StructuralSchema): Site[] {
  const { minItems, maxItems } = node;
  const type = node['x-kubernetes-list-type'];
  return [
    ...(minItems === undefined ? [] : [site('TooFewItems', place, () => ({ value: [] }))]),
    ...(maxItems === undefined
      ? []
      : [
          site('TooManyItems', place, (chance, { value }) => {
            const [first] = value as unknown[];
            return first === undefined
              ? null
              : { value: Array.from({ length: maxItems + chance.pick([1, 2]) }, () => first) };
          }),
        ]),
    ...(type !== 'map' && type !== 'set'
      ? []
      : [
          site('Twice', place, (chance, { value }) => {
            const items = value as unknown[];
            // A list that is full would be too long as well.
            if (items.length === 0 || items.length === maxItems) return null;
            return { value: [...items, chance.pick(items)], at: [items.length] };
          }),
        ]),
  ];
}

function unknownAndMissing(place: string, node: StructuralSchema): Site[] {
  const { properties } = node;
  if (properties === undefined) return [];
  return [
    site('UnknownField', place, (chance, { value }) => {
      if (!isJson(value)) return null;
      const known = Object.keys(properties);
      const name = chance.pick([`${chance.pick(known)}s`, `${chance.pick(known).slice(1)}x`, 'unknown', 'Ω']);
      return known.includes(name) ? null : { value: { ...value, [name]: chance.pick(['x', 1, {}, []]) }, at: [name] };
    }),
    ...(node.required ?? []).map((name) =>
      site(
        'Missing',
        place,
        (_chance, { value }) => (isJson(value) ? { value: withValue(value, [name], undefined), at: [name] } : null),
        name,
      ),
    ),
  ];
}
