// Where what is generated lies: the CRD in the chart, so that Helm and Pulumi install it with the operator; the reference in the docs.
import { fileURLToPath } from 'node:url';
import { ASSISTANT_DEPLOYMENT_CRD } from '../group.ts';

/** Absolute path of the committed YAML. */
export const assistantDeploymentFile = fileURLToPath(
  new URL(`../../../charts/operator/crds/${ASSISTANT_DEPLOYMENT_CRD}.yaml`, import.meta.url),
);

/** Absolute path of the committed field reference. */
export const assistantDeploymentReferenceFile = fileURLToPath(
  new URL('../../../docs/reference/assistantdeployment.md', import.meta.url),
);
