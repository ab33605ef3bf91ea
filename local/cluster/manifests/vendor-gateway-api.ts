// Makes gateway-api.json from the Gateway API's own release files: `node vendor-gateway-api.ts <folder config/crd/standard>`.
//
// The folder comes with the Go module (go mod download -json sigs.k8s.io/gateway-api@v1.5.1 names it). Descriptions are left
// out and the format is a JSON List (kubectl applies it), one item a line: a third of the size, and read in milliseconds where the
// YAML takes seconds. Everything that validates is kept. Licence of the source: Apache-2.0, The Kubernetes Authors.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const source = process.argv[2];
if (source === undefined) throw new Error('usage: node vendor-gateway-api.ts <folder config/crd/standard>');

/** A schema without its descriptions. A property that happens to be named "description" is kept: it is an object, not text. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => !(name === 'description' && typeof field === 'string'))
      .map(([name, field]) => [name, withoutDescriptions(field)]),
  );
}

const definitions = readdirSync(source)
  .filter((name) => name.endsWith('.yaml') && !name.includes('_vap_'))
  .sort()
  .map((name) => parse(readFileSync(join(source, name), 'utf8')) as { readonly kind: string; status?: unknown });
for (const definition of definitions) {
  if (definition.kind !== 'CustomResourceDefinition') throw new Error(`unexpected ${definition.kind} in ${source}`);
  delete definition.status;
}
const items = definitions.map((definition) => JSON.stringify(withoutDescriptions(definition))).join(',\n');
writeFileSync(
  join(import.meta.dirname, 'gateway-api.json'),
  `{"apiVersion":"v1","kind":"List","items":[\n${items}\n]}\n`,
);
