// The CRD's schema as this command knows it, for what the API server does with an object before it stores it: fill defaults, and refuse
// unknown fields and entries given twice.
import { assistantDeploymentDefinition } from '@assistant-platform/api/crd';
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import { nearest } from './spelling.ts';

type Definition = ReturnType<typeof assistantDeploymentDefinition>;
type Schema = Definition['spec']['versions'][number]['schema']['openAPIV3Schema'];

/** Members by name, entries of lists by number: the way to a value. */
export type Path = readonly (string | number)[];

/** Such as spec.strategy.canary.steps[0].setWeight. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');

let root: Schema | null = null;
const schemaRoot = (): Schema =>
  (root ??= assistantDeploymentDefinition().spec.versions[0]?.schema.openAPIV3Schema ?? {});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const member = (schema: Schema, name: string): Schema | undefined =>
  schema.properties?.[name] ?? schema.additionalProperties;

/** The spec as the API server stores it: with the defaults of its scalars. */
export function withStoredDefaults(spec: AssistantDeploymentSpec): AssistantDeploymentSpec {
  const schema = schemaRoot().properties?.['spec'] ?? {};
  return fill(schema, spec) as AssistantDeploymentSpec;
}

function fill(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => fill(schema.items ?? {}, entry));
  if (!isObject(value)) return value;
  const filled = Object.entries(value).map(([name, entry]) => [name, fill(member(schema, name) ?? {}, entry)] as const);
  const missing = Object.entries(schema.properties ?? {}).flatMap(([name, { default: standard }]) =>
    value[name] === undefined && standard !== undefined ? [[name, standard] as const] : [],
  );
  return Object.fromEntries([...filled, ...missing]);
}

/** An object without the fields of the schema that have no value (`env:` and nothing behind it): the API server drops them before it looks at anything else. */
export const withoutNulls = (object: Readonly<Record<string, unknown>>) =>
  dropNulls(schemaRoot(), object) as typeof object;

function dropNulls(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => dropNulls(schema.items ?? {}, entry));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, entry]) => {
      const known = member(schema, name);
      if (known === undefined) return [[name, entry] as const];
      return entry === null ? [] : [[name, dropNulls(known, entry)] as const];
    }),
  );
}

/** A field that the schema does not know, an entry that is there twice, or a map with too few or too many members. */
export interface ShapeProblem {
  readonly kind: 'UnknownField' | 'Duplicate' | 'Schema';
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
}

/** All of them in an object, from its root. What is metadata is Kubernetes' own. */
export function shapeProblems(object: unknown): ShapeProblem[] {
  const { spec, apiVersion, kind, metadata, status } = schemaRoot().properties ?? {};
  const properties = { spec, apiVersion, kind, metadata, status };
  return problemsIn({ properties: withoutUndefined(properties) }, object, [], new Set(['metadata', 'status']));
}

const withoutUndefined = (members: Readonly<Record<string, Schema | undefined>>): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, schema]) => (schema === undefined ? [] : [[name, schema]])),
  );

function problemsIn(schema: Schema, value: unknown, path: Path, opaque: ReadonlySet<string>): ShapeProblem[] {
  if (Array.isArray(value)) {
    return [
      ...duplicates(schema, value, path),
      ...value.flatMap((entry: unknown, index) => problemsIn(schema.items ?? {}, entry, [...path, index], new Set())),
    ];
  }
  if (!isObject(value) || schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const members = Object.entries(value).flatMap(([name, entry]) => {
    if (opaque.has(name)) return [];
    const known = member(schema, name);
    if (known !== undefined) return problemsIn(known, entry, [...path, name], new Set());
    return schema.properties === undefined ? [] : [unknownField(Object.keys(schema.properties), name, path)];
  });
  return [...count(schema, value, path), ...members];
}

function count({ minProperties = 0, maxProperties = Infinity }: Schema, value: object, path: Path): ShapeProblem[] {
  const members = Object.keys(value).length;
  if (members >= minProperties && members <= maxProperties) return [];
  const remedy = members < minProperties ? `write at least ${minProperties}` : `write at most ${maxProperties}`;
  return [{ kind: 'Schema', path, message: `it has ${members} entries`, remedy }];
}

/** A rule across fields (CEL) that the schema sets at a place, and what stands there. */
export interface RulePlace {
  /** What is wrong when the rule does not hold, and what to write instead. */
  readonly message: string;
  readonly path: Path;
  readonly value: unknown;
}

/** Every rule of the schema at every place of an object that it speaks of. */
export function rulePlaces(object: unknown): RulePlace[] {
  return placesIn(schemaRoot(), object, []);
}

function placesIn(schema: Schema, value: unknown, path: Path): RulePlace[] {
  if (value === undefined || value === null) return [];
  const here = (schema['x-kubernetes-validations'] ?? []).map(({ message, fieldPath = '' }) => ({
    message,
    path: [...path, ...fieldPath.split('.').filter((part) => part !== '')],
    value,
  }));
  const below = Array.isArray(value)
    ? value.flatMap((entry: unknown, index) => placesIn(schema.items ?? {}, entry, [...path, index]))
    : isObject(value)
      ? Object.entries(value).flatMap(([name, entry]) => placesIn(member(schema, name) ?? {}, entry, [...path, name]))
      : [];
  return [...here, ...below];
}

/** The rules of the whole schema, as they stand in the CRD: for the test that each has its twin (lint/rules.ts). */
export function allRules(schema: Schema = schemaRoot()): { readonly rule: string; readonly message: string }[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  return [
    ...(schema['x-kubernetes-validations'] ?? []),
    ...below.flatMap((each) => (each === undefined ? [] : allRules(each))),
  ];
}

function unknownField(known: readonly string[], name: string, path: Path): ShapeProblem {
  const meant = nearest(name, known);
  return {
    kind: 'UnknownField',
    path: [...path, name],
    message: `there is no field ${name} in ${path.length === 0 ? 'the object' : pathText(path)}`,
    remedy: meant === null ? `remove it; there are: ${known.join(', ')}` : `did you mean ${meant}?`,
  };
}

function duplicates(schema: Schema, list: readonly unknown[], path: Path): ShapeProblem[] {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const keyOf = (entry: unknown): string =>
    JSON.stringify(type === 'map' && isObject(entry) ? keys.map((key) => entry[key]) : entry);
  const seen = new Set<string>();
  return list.flatMap((entry, index): ShapeProblem[] => {
    const key = keyOf(entry);
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const named = type === 'map' ? `an entry with the same ${keys.join(' and ')}` : 'the same value';
    return [
      {
        kind: 'Duplicate',
        path: [...path, index],
        message: `${named} stands there twice`,
        remedy: 'remove one of them',
      },
    ];
  });
}

/** What the schema says of a field, for remedies: the description of it, or of the nearest field above it that has one. */
export function describeField(path: Path): string | null {
  let schema: Schema | undefined = schemaRoot();
  let description: string | null = null;
  for (const part of path) {
    schema = typeof part === 'number' ? schema.items : member(schema, part);
    if (schema === undefined) return description;
    description = schema.description ?? description;
  }
  return description;
}
