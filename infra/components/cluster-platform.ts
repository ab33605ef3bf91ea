/** The ground that all else stands on: namespaces with their security rules, our custom resources, the gateway. */
import { readFileSync } from 'node:fs';
import { ASSISTANT_DEPLOYMENT_CRD } from '@assistant-platform/api';
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { labelsOf } from '../hardening.ts';
import type { Image } from '../images.ts';
import { denyIngress } from '../network.ts';
import { Component } from './component.ts';
import { PublicGateway } from './public-gateway.ts';
import type { Gateway } from './public-gateway.ts';

/** The namespaces of the stack by what they are for. */
export const NAMESPACES = {
  data: 'data',
  platform: 'platform',
  gateway: 'gateway-system',
  operator: 'assistant-system',
  assistants: 'assistants',
} as const;

/** What a namespace is for. */
export type NamespaceRole = keyof typeof NAMESPACES;

/** Arguments of {@link ClusterPlatform}. */
export interface ClusterPlatformArgs {
  readonly gatewayImage: Image;
  readonly gatewayNodePort: number;
}

const CRD_FILES = [`${ASSISTANT_DEPLOYMENT_CRD}.yaml`];

/** A CustomResourceDefinition as the chart's file holds it. */
export type Crd = k8s.types.input.apiextensions.v1.CustomResourceDefinition & { metadata: { name: string } };

/** Reads one CustomResourceDefinition of the operator's chart. */
export function readCrd(file: string): Crd {
  const url = new URL(`../../charts/operator/crds/${file}`, import.meta.url);
  return parse(readFileSync(url, 'utf8')) as Crd;
}

/** Namespaces, CRDs and gateway. */
export class ClusterPlatform extends Component {
  /** Names of the namespaces, known once they exist. */
  readonly namespaces: Readonly<Record<NamespaceRole, pulumi.Output<string>>>;
  /** Our CRDs: whoever makes custom resources or watches them depends on these. */
  readonly crds: readonly k8s.apiextensions.v1.CustomResourceDefinition[];
  readonly gateway: Gateway;

  constructor(name: string, args: ClusterPlatformArgs, options?: pulumi.ComponentResourceOptions) {
    super('ClusterPlatform', name, options);
    const namespace = (role: NamespaceRole) => this.namespace(name, role);
    this.namespaces = {
      data: namespace('data'),
      platform: namespace('platform'),
      gateway: namespace('gateway'),
      operator: namespace('operator'),
      assistants: namespace('assistants'),
    };
    this.crds = CRD_FILES.map((file) => {
      const crd = readCrd(file);
      return new k8s.apiextensions.v1.CustomResourceDefinition(crd.metadata.name, crd, this.child());
    });
    this.gateway = new PublicGateway(
      'gateway',
      { namespace: this.namespaces.gateway, image: args.gatewayImage, nodePort: args.gatewayNodePort },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** A namespace that admits only pods of the `restricted` standard and refuses all ingress that nobody allows. */
  private namespace(name: string, role: NamespaceRole): pulumi.Output<string> {
    const created = new k8s.core.v1.Namespace(
      `${name}-${role}`,
      {
        metadata: {
          name: NAMESPACES[role],
          labels: {
            ...labelsOf(NAMESPACES[role], 'namespace'),
            'pod-security.kubernetes.io/enforce': 'restricted',
            'pod-security.kubernetes.io/warn': 'restricted',
          },
        },
      },
      this.child(),
    );
    const output = created.metadata.name;
    denyIngress(`${name}-${role}-deny`, output, this.child());
    return output;
  }
}
