/**
 * NetworkPolicies: each namespace refuses all ingress, each server lets in the callers it names.
 *
 * They are shipped even where the network plug-in does not enforce them (the embedded cluster's bridge does not).
 * Egress stays open, but for the data stores, which never call anybody.
 */
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import { labelsOf, selectorOf } from './hardening.ts';

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/** Pods of a namespace, all or those with labels. */
export function podsIn(namespace: pulumi.Input<string>, labels?: Record<string, string>): Peer {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    ...(labels === undefined ? {} : { podSelector: { matchLabels: labels } }),
  };
}

/** Anybody, also from outside the cluster: for what a NodePort publishes. */
export const ANYBODY = 'anybody';

/** Whom a server lets in. */
export interface Ingress {
  /** Callers, or {@link ANYBODY}. */
  readonly from: readonly Peer[] | typeof ANYBODY;
  /** TCP ports of the pod. */
  readonly ports: readonly number[];
}

/** Arguments of {@link allowIngress}. */
export interface AllowArgs {
  readonly namespace: pulumi.Input<string>;
  /** Name of the program: the policy's name and the pods' `app.kubernetes.io/name`. */
  readonly app: string;
  readonly ingress: readonly Ingress[];
  /** The pods may call nobody at all, not even DNS. */
  readonly noEgress?: boolean;
}

/** Lets named callers reach the pods of one program. */
export function allowIngress(
  name: string,
  args: AllowArgs,
  options: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy {
  return new k8s.networking.v1.NetworkPolicy(
    name,
    {
      metadata: { name: args.app, namespace: args.namespace, labels: labelsOf(args.app, 'network') },
      spec: {
        podSelector: { matchLabels: selectorOf(args.app) },
        policyTypes: args.noEgress === true ? ['Ingress', 'Egress'] : ['Ingress'],
        ingress: args.ingress.map(({ from, ports }) => ({
          ...(from === ANYBODY ? {} : { from: [...from] }),
          ports: ports.map((port) => ({ protocol: 'TCP', port })),
        })),
        ...(args.noEgress === true ? { egress: [] } : {}),
      },
    },
    options,
  );
}

/** Refuses all ingress to the pods of a namespace that no other policy selects. */
export function denyIngress(
  name: string,
  namespace: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): k8s.networking.v1.NetworkPolicy {
  return new k8s.networking.v1.NetworkPolicy(
    name,
    {
      metadata: { name: 'deny-ingress', namespace, labels: labelsOf('deny-ingress', 'network') },
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [] },
    },
    options,
  );
}
