// Which volume a claim gets. Pure; the provisioner acts on it.
import { join } from 'node:path';
import { PROVISIONER } from './add-ons.ts';
import type { KubernetesObject } from './api-client.ts';
import { STOP_FIRST, componentKubeconfig } from './control-plane.ts';
import type { InstanceFiles } from './instance.ts';
import type { Component } from './specification.ts';

/** The fields of a PersistentVolumeClaim that matter here. */
export interface Claim {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly volumeName?: string;
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
  };
  readonly status?: { readonly phase?: string };
}

/** The fields of a PersistentVolume that matter here. */
export interface Volume {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: { readonly phase?: string };
}

/** A PersistentVolume in a folder of the node. */
export interface HostPathVolume extends KubernetesObject {
  readonly spec: {
    readonly hostPath: { readonly path: string; readonly type: string };
    readonly [field: string]: unknown;
  };
}

/**
 * The volume for the claim, bound to it alone, or undefined when the claim needs none from us. kube-controller-manager names
 * the provisioner in an annotation of the claim when it is time.
 */
export function volumeFor(claim: Claim, folder: string): HostPathVolume | undefined {
  const { name, namespace, uid, annotations } = claim.metadata;
  if (annotations?.['volume.kubernetes.io/storage-provisioner'] !== PROVISIONER) return undefined;
  if ((claim.spec.volumeName ?? '') !== '' || claim.status?.phase === 'Bound') return undefined;
  const volume = `pvc-${uid}`;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume, annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER } },
    spec: {
      storageClassName: 'standard',
      capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      // Ours: the controller-manager's own recycler would not know the folder.
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: join(folder, volume), type: 'Directory' },
    },
  };
}

/** The process that provisions volumes. */
export function provisioner(nodeJs: string, files: InstanceFiles): Component {
  return {
    name: 'volume-provisioner',
    command: [
      nodeJs,
      join(import.meta.dirname, 'volume-provisioner.ts'),
      componentKubeconfig(files, 'volume-provisioner'),
      files.volumes,
    ],
    after: ['kube-apiserver'],
    ready: { kind: 'none' },
    stopGroup: STOP_FIRST,
  };
}
