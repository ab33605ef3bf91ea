/** The shape that all servers of the dev tier share: one hardened pod behind a Service, scraped when it has metrics. */
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import { hardenedPod, labelsOf, selectorOf } from '../hardening.ts';
import type { PlainPod } from '../hardening.ts';
import type { Image } from '../images.ts';

/** Name, namespace and labels of a server's objects. The name is the program's, also in selectors. */
export interface ServerMetadata {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly labels: Record<string, string>;
}

/** The metadata of a server; `part` is its part in the platform (`app.kubernetes.io/component`). */
export function serverMetadata(name: string, namespace: pulumi.Input<string>, part: string): ServerMetadata {
  return { name, namespace, labels: labelsOf(name, part) };
}

/** A named port of the pods. */
export interface ServerPort {
  readonly name: string;
  readonly port: number;
  /** Port of the node at which people reach it; within the cluster only when absent. */
  readonly nodePort?: number;
}

/** The Service of a server, by the server's name. */
export function serverService(
  name: string,
  metadata: ServerMetadata,
  { name: portName, port, nodePort }: ServerPort,
  options: pulumi.CustomResourceOptions,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      metadata,
      spec: {
        ...(nodePort === undefined ? {} : { type: 'NodePort' }),
        selector: selectorOf(metadata.name),
        ports: [{ name: portName, port, targetPort: portName, ...(nodePort === undefined ? {} : { nodePort }) }],
      },
    },
    options,
  );
}

/** Where a pod offers its metrics; read by observability.yaml. */
export interface ScrapePoint {
  readonly port: number;
  /** `/metrics` when absent. */
  readonly path?: string;
  /** Value of the query parameter `format`. */
  readonly format?: string;
}

/** What runs in a server's pod. */
export interface ServerPod {
  /** The image of the first container: rebuilding it rolls the pod. */
  readonly image: Image;
  readonly metrics?: ScrapePoint;
  readonly pod: PlainPod;
}

function podTemplate(metadata: ServerMetadata, { image, metrics, pod }: ServerPod) {
  const scrape =
    metrics === undefined
      ? {}
      : {
          'prometheus.io/scrape': 'true',
          'prometheus.io/port': String(metrics.port),
          ...(metrics.path === undefined ? {} : { 'prometheus.io/path': metrics.path }),
          ...(metrics.format === undefined ? {} : { 'prometheus.io/param-format': metrics.format }),
        };
  return {
    metadata: { labels: metadata.labels, annotations: { ...image.annotations, ...scrape } },
    spec: hardenedPod(pod),
  };
}

/** A server with a volume: a StatefulSet of one. */
export function statefulServer(
  name: string,
  metadata: ServerMetadata,
  service: k8s.core.v1.Service,
  pod: ServerPod,
  options: pulumi.CustomResourceOptions,
): k8s.apps.v1.StatefulSet {
  return new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata,
      spec: {
        serviceName: service.metadata.name,
        replicas: 1,
        podManagementPolicy: 'Parallel', // with OrderedReady a pod that never gets ready is not replaced by a repaired one
        selector: { matchLabels: selectorOf(metadata.name) },
        template: podTemplate(metadata, pod),
      },
    },
    options,
  );
}

/** A server that keeps nothing: a Deployment of one. */
export function statelessServer(
  name: string,
  metadata: ServerMetadata,
  pod: ServerPod & { readonly strategy?: k8s.types.input.apps.v1.DeploymentStrategy },
  options: pulumi.CustomResourceOptions,
): k8s.apps.v1.Deployment {
  const { strategy } = pod;
  return new k8s.apps.v1.Deployment(
    name,
    {
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: selectorOf(metadata.name) },
        ...(strategy === undefined ? {} : { strategy }),
        template: podTemplate(metadata, pod),
      },
    },
    options,
  );
}
