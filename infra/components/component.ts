/** What all components of this project share: the type prefix and the options that their children take. */
import * as pulumi from '@pulumi/pulumi';

/** A component of the stack: a group of resources with typed arguments and outputs. */
export abstract class Component extends pulumi.ComponentResource {
  /**
   * @param kind name of the class, the last part of the resource type `assistant-platform:infra:<kind>`
   * @param name unique name within the stack
   */
  constructor(kind: string, name: string, options?: pulumi.ComponentResourceOptions) {
    super(`assistant-platform:infra:${kind}`, name, {}, options);
  }

  /** Options of a child, below this component. */
  protected child(options: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { parent: this, ...options };
  }
}

/** What a Kubernetes server needs of its surroundings, the same for all of them. */
export interface Placement {
  /** Namespace; must exist (pass the output of ClusterPlatform). */
  readonly namespace: pulumi.Input<string>;
}

/** The name of the namespace that outlives a resource: lets callers depend on the namespace by its output. */
export type NamespaceName = pulumi.Output<string>;
