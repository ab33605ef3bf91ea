// The operator as plain YAML (charts/install.yaml), for people who install with kubectl alone: the chart as Helm renders it, with its CRDs and a namespace.
// `npm run install-bundle` writes it; infra/chart.pulumi.test.ts keeps it in step with the chart.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { CHART, RELEASE } from './components/assistant-operator.ts';

/** Absolute path of the committed file. */
export const BUNDLE = fileURLToPath(new URL('../charts/install.yaml', import.meta.url));

const NAMESPACE = 'assistant-system';
const HEAD = `# The operator as plain YAML, rendered from charts/operator by \`npm run install-bundle\`; change the chart.
#   kubectl apply --server-side -f install.yaml
# It works in all namespaces; the image is one of yours: localhost/assistant/operator stands for it.
apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** Renders the bundle. */
export async function installBundle(): Promise<string> {
  const helm = await ensureBinary('helm');
  const args = ['template', RELEASE, CHART, '--namespace', NAMESPACE, '--include-crds'];
  const { stdout } = await promisify(execFile)(helm, args, { maxBuffer: 16 * 1024 * 1024 });
  return `${HEAD}${stdout}`;
}

if (import.meta.main) await writeFile(BUNDLE, await installBundle());
