/** A volume of a server: claimed apart from the StatefulSet, so that replacing the server keeps the data. */
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import { labelsOf } from '../hardening.ts';

/** Arguments of {@link volumeClaim}. */
export interface VolumeClaimArgs {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly storageClass: string;
  /** Size, for example `1Gi`. */
  readonly storage: string;
}

/**
 * The provider waits for the end of an object by a watch that it begins after its request, and misses an end in between, as of a claim whose last pod
 * is gone: then it waits for all of this time, looks once more, and goes on (pulumi-kubernetes 4.18.1, pkg/await/condition/deleted.go).
 */
const GONE_WITHIN = '1m';

/**
 * Claims a volume for one pod. It is not awaited: where volumes bind on first use, it stays pending until the pod is
 * scheduled, and the pod waits for the claim.
 */
export function volumeClaim(
  name: string,
  args: VolumeClaimArgs,
  options: pulumi.CustomResourceOptions,
): k8s.core.v1.PersistentVolumeClaim {
  return new k8s.core.v1.PersistentVolumeClaim(
    name,
    {
      metadata: {
        name: args.name,
        namespace: args.namespace,
        labels: labelsOf(args.name, 'storage'),
        annotations: { 'pulumi.com/skipAwait': 'true' },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: args.storageClass,
        resources: { requests: { storage: args.storage } },
      },
    },
    { ...options, customTimeouts: { ...options.customTimeouts, delete: GONE_WITHIN } },
  );
}
