import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assistantDeploymentDefinition, assistantDeploymentYaml } from './definition.ts';
import { assistantDeploymentFile, assistantDeploymentReferenceFile } from './location.ts';
import { assistantDeploymentReference } from './reference.ts';
import { structural, type StructuralSchema } from './structural.ts';

/** Every node below a schema, with its path. */
function* nodes(schema: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* nodes(schema.additionalProperties, `${path}.*`);
}

const schema = assistantDeploymentDefinition().spec.versions[0]!.schema.openAPIV3Schema;
const all = ['spec', 'status'].flatMap((name) => [...nodes(schema.properties![name]!, name)]);

describe('the CRD', () => {
  test('the committed YAML is what the schema gives: otherwise run `npm run crd -w @assistant-platform/api`', () => {
    expect(readFileSync(assistantDeploymentFile, 'utf8')).toBe(assistantDeploymentYaml());
  });

  test('the committed field reference is what the schema gives: otherwise run `npm run crd -w @assistant-platform/api`', () => {
    expect(readFileSync(assistantDeploymentReferenceFile, 'utf8')).toBe(assistantDeploymentReference());
  });

  test('the field reference has every rule', () => {
    const rules = [...nodes(schema, '')].flatMap(([, node]) => node['x-kubernetes-validations'] ?? []);
    const page = assistantDeploymentReference().replaceAll('&lt;', '<');
    expect(rules.map(({ message }) => message).filter((message) => !page.includes(message))).toEqual([]);
  });

  test('every field has a description', () => {
    const fields = all.filter(([path]) => !path.endsWith('[]') && !path.endsWith('.*'));
    expect(fields.length).toBeGreaterThan(150);
    expect(fields.filter(([, { description }]) => description === undefined).map(([path]) => path)).toEqual([]);
  });

  test('everything in the spec is bounded, so that CEL rules have a cost', () => {
    const unbounded = all
      .filter(([path]) => path.startsWith('spec'))
      .filter(
        ([, node]) =>
          (node.type === 'string' && node.maxLength === undefined && node.enum === undefined) ||
          (node.type === 'array' && node.maxItems === undefined) ||
          (node.additionalProperties !== undefined && node.maxProperties === undefined),
      );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('every rule says in words what to write', () => {
    const messages = all.flatMap(([, node]) => node['x-kubernetes-validations'] ?? []).map(({ message }) => message);
    expect(messages.length).toBeGreaterThan(40);
    expect(
      messages.filter((message) => !/write|remove|add|order|such as|needs|begins with|is a|one of/.test(message)),
    ).toEqual([]);
  });

  test('lists of objects are maps or atomic, never left to chance', () => {
    const unsaid = all.filter(([, node]) => node.type === 'array' && node['x-kubernetes-list-type'] === undefined);
    expect(unsaid.map(([path]) => path)).toEqual([]);
  });
});

describe('structural', () => {
  test('refuses a union, and says where', () => {
    expect(() => structural(z.object({ a: z.union([z.string(), z.object({ b: z.int() })]) }))).toThrow(/^\.a: a union/);
  });

  test('refuses a pattern without a message', () => {
    expect(() => structural(z.object({ a: z.string().regex(/^x$/) }))).toThrow(/^\.a: a pattern needs a CEL rule/);
  });

  test('drops the bounds of doubles and the defaults of lists', () => {
    const list = z.array(z.int()).default([]);
    expect(structural(z.object({ list, count: z.int().default(3) })).properties).toEqual({
      list: { type: 'array', items: { type: 'integer' } },
      count: { type: 'integer', default: 3 },
    });
  });
});
