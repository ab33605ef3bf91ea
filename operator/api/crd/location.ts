// Where the generated CRD lies: in the chart, so that Helm and Pulumi install it with the operator.
import { fileURLToPath } from 'node:url';
import { ASSISTANT_DEPLOYMENT_CRD } from '../group.ts';

/** Absolute path of the committed YAML. */
export const assistantDeploymentFile = fileURLToPath(
  new URL(`../../../charts/operator/crds/${ASSISTANT_DEPLOYMENT_CRD}.yaml`, import.meta.url),
);
