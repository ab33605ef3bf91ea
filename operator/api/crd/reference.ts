// The field reference for people (docs/reference/assistantdeployment.md), made from the CRD: what `kubectl explain` knows, on one page, with the limits.
import { assistantDeploymentDefinition } from './definition.ts';
import type { StructuralSchema } from './structural.ts';

const HEAD = `# AssistantDeployment, field by field

Generated from the schema by \`npm run crd -w @assistant-platform/api\`. In a terminal: \`kubectl explain ad.spec.strategy\` (or any other field) with the descriptions, \`--recursive\` for the
names of all fields below it.
Group \`assistant-platform.io\`, version \`v1alpha1\`, namespaced, short name \`ad\`. A \`*\` after a name: the field is required.
What the API server refuses beyond types and limits stands under *Rules*, in the words that a person gets.
`;

/** The page. */
export function assistantDeploymentReference(): string {
  const root = assistantDeploymentDefinition().spec.versions[0]?.schema.openAPIV3Schema;
  const sections = ['spec', 'status'].flatMap((name) => {
    const node = root?.properties?.[name];
    return node === undefined ? [] : [section(name, node, 2), ...children(node).map((child) => part(name, child))];
  });
  const whole = [
    ...(root?.['x-kubernetes-validations'] ?? []),
    ...(root?.properties?.['spec']?.['x-kubernetes-validations'] ?? []),
  ];
  const rules = new Set(whole.map(({ message }) => `- ${plain(message)}`));
  return `${[HEAD, '## Rules for the whole object\n', ...rules, '', ...sections].join('\n')}\n`;
}

interface Field {
  readonly name: string;
  readonly node: StructuralSchema;
  readonly required: boolean;
}

const children = (node: StructuralSchema): Field[] =>
  Object.entries(node.properties ?? {}).map(([name, child]) => ({
    name,
    node: child,
    required: node.required?.includes(name) ?? false,
  }));

/** A heading with description and rules. */
function section(title: string, node: StructuralSchema, level: number): string {
  return [`${'#'.repeat(level)} ${title}`, '', node.description ?? '', ''].join('\n');
}

/** Everything below a member of spec or status: one table, and the rules of all its nodes. */
function part(parent: string, field: Field): string {
  const rows = [...below(field.name, field)];
  const table = rows.map(
    ({ path, field: { node, required } }) =>
      `| \`${path}\`${required ? ' *' : ''} | ${typeOf(node)} | ${cell(limits(node))} | ${cell(node.description ?? '')} |`,
  );
  const rules = rows.flatMap(({ path, field: { node } }) =>
    (node['x-kubernetes-validations'] ?? []).map(({ message }) => `- \`${path}\`: ${plain(message)}`),
  );
  return [
    `### ${parent}.${field.name}`,
    '',
    '| Field | Type | Default and limits | |',
    '|---|---|---|---|',
    ...table,
    '',
    ...(rules.length === 0 ? [] : ['Rules', '', ...new Set(rules), '']),
  ].join('\n');
}

function* below(path: string, field: Field): Generator<{ path: string; field: Field }> {
  yield { path, field };
  for (const child of children(field.node)) yield* below(`${path}.${child.name}`, child);
  const { items, additionalProperties } = field.node;
  for (const [suffix, node] of [
    ['[]', items],
    ['.<name>', additionalProperties],
  ] as const) {
    if (node === undefined) continue;
    for (const child of children(node)) yield* below(`${path}${suffix}.${child.name}`, child);
    // Otherwise a plain list or map is told by its type.
    if (node['x-kubernetes-validations'] !== undefined)
      yield { path: `${path}${suffix}`, field: { name: suffix, node, required: false } };
  }
}

function typeOf(node: StructuralSchema): string {
  if (node['x-kubernetes-int-or-string'] === true) return 'number or text';
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.additionalProperties !== undefined) return `map of ${typeOf(node.additionalProperties)}`;
  if (node['x-kubernetes-preserve-unknown-fields'] === true) return 'object, any fields';
  if (node.type === 'string') return node.format === 'date-time' ? 'time' : 'text';
  return node.type ?? 'any';
}

function limits(node: StructuralSchema): string {
  const parts = [
    ...(node.default === undefined ? [] : [`default \`${JSON.stringify(node.default)}\``]),
    ...(node.enum === undefined ? [] : [node.enum.map((value) => `\`${String(value)}\``).join(', ')]),
    range('', node.minimum, node.maximum),
    range(' characters', node.minLength, node.maxLength),
    range(' entries', node.minItems ?? node.minProperties, node.maxItems ?? node.maxProperties),
  ];
  return parts.filter((text) => text !== '').join('; ');
}

function range(unit: string, low: number | undefined, high: number | undefined): string {
  if (low === undefined && high === undefined) return '';
  if (high === undefined) return `at least ${low ?? 0}${unit}`;
  return low === undefined || (low === 0 && unit !== '') ? `at most ${high}${unit}` : `${low} to ${high}${unit}`;
}

/** In text a < begins a tag. */
const plain = (text: string): string => text.replaceAll('<', '&lt;');

/** A pipe would end the cell. */
const cell = (text: string): string => plain(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
