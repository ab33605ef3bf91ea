// Nodes that exist in the API only: kwok plays their kubelets, so that operators can be tested without running a container.
import { join } from 'node:path';
import type { ApiClient } from './api-client.ts';
import { componentKubeconfig, STOP_FIRST } from './control-plane.ts';
import type { InstanceFiles } from './instance.ts';
import type { Component } from './specification.ts';

const ANNOTATION = 'kwok.x-k8s.io/node';

/** The kwok process. It answers on `port` of loopback. */
export function kwok(binary: string, files: InstanceFiles, port: number, pods: string): Component {
  return {
    name: 'kwok',
    command: [
      binary,
      `--kubeconfig=${componentKubeconfig(files, 'kwok')}`,
      `--config=${join(import.meta.dirname, 'manifests', 'kwok-stages.yaml')}`,
      `--manage-nodes-with-annotation-selector=${ANNOTATION}=fake`,
      `--cidr=${pods}`,
      `--server-address=127.0.0.1:${port}`,
      '--node-lease-duration-seconds=40',
    ],
    after: ['kube-apiserver'],
    ready: { kind: 'http', url: `http://127.0.0.1:${port}/healthz` },
    stopGroup: STOP_FIRST,
  };
}

/** Makes `count` nodes, `fake-0` and so on, and waits for none of them: kwok makes them Ready within a second. */
export async function addFakeNodes(api: ApiClient, count: number): Promise<void> {
  const resources = { cpu: '1000', memory: '1Ti', pods: '10000' };
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      api.apply({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: `fake-${index}`,
          annotations: { [ANNOTATION]: 'fake' },
          labels: { 'kubernetes.io/hostname': `fake-${index}`, 'kubernetes.io/os': 'linux', type: 'fake' },
        },
        status: { allocatable: resources, capacity: resources },
      }),
    ),
  );
}
