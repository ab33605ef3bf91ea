// The CustomResourceDefinition of AssistantDeployment, as an object and as the YAML that the chart ships.
import { stringify } from 'yaml';
import { ASSISTANT_DEPLOYMENT, ASSISTANT_DEPLOYMENT_CRD, GROUP, NAME_BUDGET, VERSION } from '../group.ts';
import { spec } from '../schema/spec.ts';
import { status } from '../schema/status.ts';
import { structural, type StructuralSchema } from './structural.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 0: always shown; 1: with `-o wide`. */
  /** Only in the wide table. Left out where it is 0: the API server does not store it, and tools that compare would show it as a change. */
  readonly priority?: 1;
}

/** apiextensions.k8s.io/v1 CustomResourceDefinition, as far as we use it. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced';
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      readonly subresources: {
        readonly status: Readonly<Record<string, never>>;
        readonly scale: {
          readonly specReplicasPath: string;
          readonly statusReplicasPath: string;
          readonly labelSelectorPath: string;
        };
      };
      readonly additionalPrinterColumns: readonly PrinterColumn[];
    }[];
  };
}

const column = (
  name: string,
  type: PrinterColumn['type'],
  jsonPath: string,
  description: string,
  priority?: 1,
): PrinterColumn => ({ name, type, jsonPath, description, ...(priority === undefined ? {} : { priority }) });

const COLUMNS: readonly PrinterColumn[] = [
  column('PHASE', 'string', '.status.phase', 'Where it stands.'),
  column('STRATEGY', 'string', '.spec.strategy.type', 'How traffic moves to a new revision.'),
  column('STEP', 'string', '.status.summary.step', 'Steps done of all steps.'),
  column('WEIGHT', 'string', '.status.summary.weight', 'Share of the new revision, as routed.'),
  column('READY', 'string', '.status.summary.ready', 'Ready pods of all pods.'),
  column('CONNS', 'integer', '.status.summary.connections', 'Open sessions.'),
  column('RELEASE', 'string', '.spec.release', 'The release asked for.'),
  column('AGE', 'date', '.metadata.creationTimestamp', 'Since its creation.'),
  column('FLAG', 'string', '.status.summary.flag', 'Flags and their rollout.', 1),
  column('CHAOS', 'string', '.status.summary.chaos', 'The running experiment.', 1),
  column('MESSAGE', 'string', '.status.message', 'Where it stands, in one sentence.', 1),
];

const root = (): StructuralSchema => ({
  type: 'object',
  description:
    'AssistantDeployment releases an assistant: its components in lockstep, by canary or blue-green, without cutting open sessions.',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
    kind: { type: 'string', description: `Always ${ASSISTANT_DEPLOYMENT.kind}.` },
    metadata: { type: 'object' },
    spec: structural(spec),
    status: structural(status),
  },
  // Names of Services derive from the object's name, and those are DNS labels.
  'x-kubernetes-validations': [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
      message:
        'metadata.name becomes part of Service names: write lower-case letters, digits and dashes, beginning with a letter, without dots',
    },
    {
      rule: `self.spec.components.all(name, self.metadata.name.size() + name.size() <= ${NAME_BUDGET})`,
      message: `metadata.name and a component's name have more than ${NAME_BUDGET} characters together, too long for <name>-<component>-<revision>: write shorter ones`,
    },
  ],
});

/** The CustomResourceDefinition of AssistantDeployment. */
export function assistantDeploymentDefinition(): CustomResourceDefinition {
  const { kind, listKind, plural, singular, shortName, category } = ASSISTANT_DEPLOYMENT;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: ASSISTANT_DEPLOYMENT_CRD, labels: { 'app.kubernetes.io/part-of': 'assistant-platform' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind, plural, singular, shortNames: [shortName], categories: [category] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: root() },
          subresources: {
            status: {},
            // The scale subresource needs one path. realtime is the component that people scale by hand and whose pods
            // status.replicas counts. Where realtime is autoscaled, or not part of the assistant, `kubectl scale` is refused
            // by the schema, with the remedy.
            scale: {
              specReplicasPath: '.spec.components.realtime.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: COLUMNS,
        },
      ],
    },
  };
}

const HEADER = `# Generated from operator/api/schema by \`npm run crd -w @assistant-platform/api\`; change it there.
# Copyright the assistant-platform authors. SPDX-License-Identifier: Apache-2.0
`;

/** The definition as the YAML file that the chart ships. */
export function assistantDeploymentYaml(): string {
  return HEADER + stringify(assistantDeploymentDefinition(), { lineWidth: 0, aliasDuplicateObjects: false });
}
