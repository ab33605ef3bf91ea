// From a zod schema to the structural OpenAPI v3 schema that a CustomResourceDefinition demands.
import { z } from 'zod';

/** A node of a structural schema, with the x-kubernetes extensions. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string }[];
}

/** What a node may keep. Anything else in it means that the schema uses a construct without a structural form. */
const KEPT = [
  'type',
  'description',
  'format',
  'default',
  'enum',
  'required',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const;
/** Left out on purpose: `pattern` (CEL says the same with a message), closed objects and key schemas (both not structural). */
const DROPPED = ['pattern', 'properties', 'items', 'additionalProperties', 'propertyNames', 'anyOf', '$schema', 'id'];

type Json = Record<string, unknown>;

/**
 * Converts a schema.
 * @throws Error naming the path of a construct that has no structural form, such as a union.
 */
export function structural(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' }), '');
}

function convert(node: Json, path: string): StructuralSchema {
  const intOrString = node['x-kubernetes-int-or-string'] === true;
  const opaque = node['x-kubernetes-preserve-unknown-fields'] === true;
  const where = path === '' ? 'the root' : path;
  const unknown = Object.keys(node).filter(
    (key) => !KEPT.includes(key as (typeof KEPT)[number]) && !DROPPED.includes(key),
  );
  if (unknown.length > 0) throw new Error(`${where}: ${unknown.join(', ')} has no structural form`);
  if (node.anyOf !== undefined && !intOrString) throw new Error(`${where}: a union has no structural form`);
  if (node.pattern !== undefined && node['x-kubernetes-validations'] === undefined) {
    throw new Error(`${where}: a pattern needs a CEL rule with a message beside it`);
  }

  const kept: Json = {};
  for (const key of KEPT) if (node[key] !== undefined) kept[key] = node[key];
  // zod bounds every integer by what a double can hold; that is no limit of ours.
  if (kept.minimum === Number.MIN_SAFE_INTEGER) delete kept.minimum;
  if (kept.maximum === Number.MAX_SAFE_INTEGER) delete kept.maximum;
  // Defaults of scalars show in stored objects and help; those of lists and objects would only be noise there (see defaults.ts).
  if (typeof kept.default === 'object') delete kept.default;
  if (intOrString) delete kept.type;

  const result = kept as StructuralSchema;
  if (isJson(node.properties)) {
    result.properties = mapValues(node.properties, (child, name) => convert(child, `${path}.${name}`));
  }
  if (isJson(node.items)) result.items = convert(node.items, `${path}[]`);
  if (isJson(node.additionalProperties) && !opaque) {
    result.additionalProperties = convert(node.additionalProperties, `${path}.*`);
  }
  return result;
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;

const mapValues = <T>(object: Json, change: (child: Json, name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(object).map(([name, child]) => [name, change(child as Json, name)]));
