// `npm run crd -w @assistant-platform/api`: writes the CRD into the chart, and the field reference into the docs.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assistantDeploymentYaml } from './definition.ts';
import { assistantDeploymentFile, assistantDeploymentReferenceFile } from './location.ts';
import { assistantDeploymentReference } from './reference.ts';

for (const [file, text] of [
  [assistantDeploymentFile, assistantDeploymentYaml()],
  [assistantDeploymentReferenceFile, assistantDeploymentReference()],
] as const) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(`wrote ${file}`);
}
