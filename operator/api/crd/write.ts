// `npm run crd -w @assistant-platform/api`: writes the CRD into the chart.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assistantDeploymentYaml } from './definition.ts';
import { assistantDeploymentFile } from './location.ts';

await mkdir(dirname(assistantDeploymentFile), { recursive: true });
await writeFile(assistantDeploymentFile, assistantDeploymentYaml());
console.log(`wrote ${assistantDeploymentFile}`);
