/** The operator, through its own Helm chart. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import type { Image } from '../images.ts';
import { Component } from './component.ts';

/** Arguments of {@link AssistantOperator}. */
export interface AssistantOperatorArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  readonly replicas: number;
  /** Namespaces that it works in; its rights end there. */
  readonly watchNamespaces: readonly pulumi.Input<string>[];
  /** Base address of the Prometheus that analyses ask. */
  readonly prometheusUrl: pulumi.Input<string>;
  readonly skipAwait: boolean;
}

/** Folder of the chart in this repository. */
export const CHART = fileURLToPath(new URL('../../charts/operator', import.meta.url));

/** Name of the Helm release: the prefix of the chart's objects. */
export const RELEASE = 'assistant-operator';

/**
 * The operator's chart, each object of it a resource of the stack. The chart's CRDs are left out: they belong to
 * ClusterPlatform, so that they outlive the operator and go last.
 */
export class AssistantOperator extends Component {
  /** Everything the chart made; to depend on the operator is to depend on these. */
  readonly chart: k8s.helm.v4.Chart;

  constructor(name: string, args: AssistantOperatorArgs, options?: pulumi.ComponentResourceOptions) {
    super('AssistantOperator', name, options);
    this.chart = new k8s.helm.v4.Chart(
      name,
      {
        name: RELEASE,
        namespace: args.namespace,
        // Relative, so that the state does not depend on where this clone lies.
        chart: relative(process.cwd(), CHART),
        skipCrds: true,
        skipAwait: args.skipAwait,
        values: {
          image: { repository: args.image.repository, tag: args.image.tag },
          replicas: args.replicas,
          watchNamespaces: [...args.watchNamespaces],
          prometheus: { url: args.prometheusUrl },
          podAnnotations: args.image.annotations,
        },
      },
      this.child(),
    );
    this.registerOutputs({});
  }
}
