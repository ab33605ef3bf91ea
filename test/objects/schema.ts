// The schema of the custom resource as a tree that objects are walked along: which node stands behind each field of an object.
import { assistantDeploymentDefinition } from '@assistant-platform/api/crd';
import type { StructuralSchema } from '../../operator/api/crd/structural.ts';

export type Json = Record<string, unknown>;
/** Names of members and indexes of lists, from the root. */
export type Path = readonly (string | number)[];

/** A field of an object, and the node of the schema behind it. */
export interface Field {
  /** Path in the schema: `*` for any name of a map, `[]` for any item of a list. */
  readonly place: string;
  readonly path: Path;
  readonly node: StructuralSchema;
  readonly value: unknown;
}

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The root: what people write; status is the operator's own. */
export function assistantSchema(): StructuralSchema {
  const schema = assistantDeploymentDefinition().spec.versions[0]?.schema.openAPIV3Schema;
  if (schema?.properties === undefined) throw new Error('the definition has no schema: a bug of operator/api');
  const { status: _status, ...properties } = schema.properties;
  return { ...schema, properties };
}

/** Every node of a schema with its place, the root first. */
export function nodesOf(node: StructuralSchema, place = ''): { place: string; node: StructuralSchema }[] {
  return [{ place, node }, ...childrenOf(node).flatMap(([part, child]) => nodesOf(child, join(place, part)))];
}

function childrenOf(node: StructuralSchema): [string, StructuralSchema][] {
  return [
    ...Object.entries(node.properties ?? {}),
    ...(node.items === undefined ? [] : [['[]', node.items] as [string, StructuralSchema]]),
    ...(node.additionalProperties === undefined
      ? []
      : [['*', node.additionalProperties] as [string, StructuralSchema]]),
  ];
}

const join = (place: string, part: string): string =>
  part === '[]' ? `${place}[]` : place === '' ? part : `${place}.${part}`;

/** Every field that an object has, as far as the schema knows it; the object itself first. */
export function fieldsOf(node: StructuralSchema, value: unknown, place = '', path: Path = []): Field[] {
  const own: Field = { place, path, node, value };
  if (Array.isArray(value) && node.items !== undefined) {
    const { items } = node;
    return [own, ...value.flatMap((item, index) => fieldsOf(items, item, `${place}[]`, [...path, index]))];
  }
  if (!isJson(value)) return [own];
  const members = Object.entries(value).flatMap(([name, inner]) => {
    const child = node.properties?.[name];
    if (child !== undefined) return fieldsOf(child, inner, join(place, name), [...path, name]);
    const any = node.additionalProperties;
    return any === undefined ? [] : fieldsOf(any, inner, join(place, '*'), [...path, name]);
  });
  return [own, ...members];
}

/** A copy with one value set, or removed when it is undefined. Lists and maps on the way must be there. */
export function withValue<T>(object: T, path: Path, value: unknown): T {
  const [head, ...rest] = path;
  if (head === undefined) return value as T;
  if (Array.isArray(object))
    return object.with(Number(head), withValue<unknown>(object[Number(head)], rest, value)) as T;
  const copy: Json = { ...(object as Json) };
  const next = withValue(copy[head], rest, value);
  if (next === undefined) Reflect.deleteProperty(copy, head);
  else copy[head] = next;
  return copy as T;
}

/** As the API server writes it: `spec.strategy.canary.steps[0].setWeight`. */
export const spell = (path: Path): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );

/** One spelling for what the API server writes in two ways: a shape is reported at components.chat, a rule at components[chat]. */
export const spelledAlike = (field: string): string => field.replaceAll(/\[([^\]]*[^\]\d][^\]]*)\]/g, '.$1');

/** A field names a mistake when it is the mistaken one or one that contains it. */
export function names(field: string, mistaken: string): boolean {
  const spelled = spelledAlike(field);
  return mistaken === spelled || mistaken.startsWith(`${spelled}.`) || mistaken.startsWith(`${spelled}[`);
}

/** What the API server adds to an object before it stores it: the defaults of the schema, and only inside of what is there. */
export function withSchemaDefaults(node: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? value : value.map((item: unknown) => withSchemaDefaults(items, item));
  }
  if (!isJson(value)) return value;
  const filled: Json = { ...value };
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (filled[name] === undefined && child.default !== undefined) filled[name] = child.default;
  }
  for (const [name, inner] of Object.entries(filled)) {
    const child = node.properties?.[name] ?? node.additionalProperties;
    if (child !== undefined) filled[name] = withSchemaDefaults(child, inner);
  }
  return filled;
}
