// The operator's chart by Helm itself: it lints, renders what it says, refuses wrong values, and grants what the operator needs.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ELECTION_RULES, NAMESPACE_RULES } from '../operator/controller/permissions.ts';
import { CHART, RELEASE } from './components/assistant-operator.ts';
import { BUNDLE, installBundle } from './install-bundle.ts';

interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
  readonly rules?: unknown;
  readonly spec?: Record<string, unknown>;
}

let helm: string;
beforeAll(async () => {
  helm = await ensureBinary('helm');
});

const run = promisify(execFile);

const template = (...args: string[]): Promise<Rendered[]> => render(RELEASE, 'assistant-system', ...args);

async function render(release: string, namespace: string, ...args: string[]): Promise<Rendered[]> {
  const { stdout } = await run(helm, ['template', release, CHART, '--namespace', namespace, ...args]);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

const ofKind = (objects: readonly Rendered[], kind: string) => objects.filter((object) => object.kind === kind);

describe('the chart', () => {
  it('lints without a warning', async () => {
    const { stdout } = await run(helm, ['lint', '--strict', CHART]);
    expect(stdout).toContain('0 chart(s) failed');
    expect(stdout).not.toContain('[WARNING]');
  });

  it('renders two replicas that keep to the restricted Pod Security Standard', async () => {
    const [deployment] = ofKind(await template(), 'Deployment');
    expect(deployment?.metadata).toMatchObject({ name: 'assistant-operator', namespace: 'assistant-system' });
    expect(deployment?.spec).toMatchObject({
      replicas: 2,
      template: {
        spec: {
          serviceAccountName: 'assistant-operator',
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              image: 'localhost/assistant/operator:0.1.0',
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    });
  });

  it('gives rights in the namespaces it is told of and nowhere else', async () => {
    const objects = await template('--set', 'watchNamespaces={assistants,other}');
    expect(ofKind(objects, 'ClusterRole')).toEqual([]);
    expect(
      ofKind(objects, 'Role')
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
        .sort(),
    ).toEqual([
      'assistant-system/assistant-operator-election',
      'assistants/assistant-operator',
      'other/assistant-operator',
    ]);
  });

  it('keeps names of digits only as the strings they are', async () => {
    for (const watched of ['[]', '["42"]'])
      for (const object of await render('7', '123', '--set-json', `watchNamespaces=${watched}`)) {
        const { metadata, roleRef, subjects, spec } = object;
        const names = [metadata.name, metadata.namespace, roleRef?.name, ...Object.values(metadata.labels)];
        const accounts = (subjects ?? []).flatMap(({ name, namespace }) => [name, namespace]);
        for (const value of [
          ...names,
          ...accounts,
          ...Object.values((spec?.['selector'] ?? {}) as Record<string, unknown>),
        ])
          expect(typeof value, `${object.kind} ${metadata.name}: ${String(value)}`).not.toBe('number');
      }
  });

  it('shares no name of the cluster with a release of the same name in another namespace', async () => {
    const namesIn = async (namespace: string) =>
      (await render(RELEASE, namespace))
        .filter(({ metadata }) => metadata.namespace === undefined)
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    const [here, there] = [await namesIn('team-a'), await namesIn('team-b')];
    expect(here).toHaveLength(6);
    expect(here.filter((name) => there.includes(name))).toEqual([]);
  });

  it('grants exactly what the operator’s code lists, in the cluster when no namespace is named', async () => {
    const objects = await template();
    expect(ofKind(objects, 'ClusterRole').map(({ rules }) => rules)).toEqual([NAMESPACE_RULES]);
    expect(ofKind(objects, 'Role').map(({ rules }) => rules)).toEqual([ELECTION_RULES]);
  });

  it('admits in the namespaces it works in, and nothing of it is left when it is not wanted', async () => {
    const [binding] = ofKind(
      await template('--set', 'watchNamespaces={assistants}'),
      'ValidatingAdmissionPolicyBinding',
    );
    expect(JSON.stringify(binding?.spec?.['matchResources'])).toContain('assistants');
    const without = await template('--set', 'admissionPolicy.create=false');
    expect(without.filter(({ kind }) => kind.startsWith('ValidatingAdmission'))).toEqual([]);
  });

  it('has a disruption budget only when a replica can be spared', async () => {
    expect(ofKind(await template(), 'PodDisruptionBudget')).toHaveLength(1);
    expect(ofKind(await template('--set', 'replicas=1'), 'PodDisruptionBudget')).toHaveLength(0);
  });

  it('lets everybody reach the port of health and metrics, or those that are named', async () => {
    const ingress = async (...args: string[]) => ofKind(await template(...args), 'NetworkPolicy')[0]?.spec?.['ingress'];
    const ports = [{ protocol: 'TCP', port: 'http' }];
    expect(await ingress()).toEqual([{ ports }]);
    const from = [{ namespaceSelector: { matchLabels: { scrapes: 'yes' } } }, { ipBlock: { cidr: '10.0.0.0/8' } }];
    expect(await ingress('--set-json', `networkPolicy.from=${JSON.stringify(from)}`)).toEqual([{ ports, from }]);
  });

  it.each([
    ['image.tag=latest', /image/],
    ['networkPolicy.from[0].namespace=monitoring', /networkPolicy/],
    ['replicas=-1', /replicas/],
    ['watchNamespaces={Not_a_name}', /watchNamespaces/],
    ['logLevel=loud', /logLevel/],
    ["serviceAccount.name=it's", /serviceAccount/],
    ['env[0].name=PORT', /env: the chart sets PORT: remove it here/],
    ['env[0].name=LOG_LEVEL', /remove it here, and write logLevel/],
    ['prometheus.url=http://a,env[0].name=ASSISTANT_PROMETHEUS_URL', /remove it here, and write prometheus\.url/],
    ['replica=2', /replica/],
  ])('refuses %s and names the value', async (setting, named) => {
    await expect(template('--set', setting)).rejects.toThrow(named);
  });

  it('is also there as plain YAML: otherwise run `npm run install-bundle`', async () => {
    expect(readFileSync(BUNDLE, 'utf8')).toBe(await installBundle());
  });

  it('brings the custom resources along for people who install it by Helm alone', async () => {
    const crds = ofKind(await template('--include-crds'), 'CustomResourceDefinition');
    expect(crds.map(({ metadata }) => metadata.name)).toEqual(['assistantdeployments.assistant-platform.io']);
  });
});
