import { describe, expect, it } from 'vitest';
import { clusterDns, gatewayApi, PROVISIONER, storageClass } from './add-ons.ts';
import { addressPlan } from './addresses.ts';
import { ApiClient, pathOf } from './api-client.ts';
import { kubeconfig } from './kubeconfig.ts';
import { volumeFor } from './volumes.ts';
import type { Claim } from './volumes.ts';

const claim = (change: { annotation?: string; volumeName?: string } = {}): Claim => ({
  metadata: {
    name: 'data',
    namespace: 'apps',
    uid: 'u-1',
    annotations: { 'volume.kubernetes.io/storage-provisioner': change.annotation ?? PROVISIONER },
  },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
    ...(change.volumeName === undefined ? {} : { volumeName: change.volumeName }),
  },
});

describe('volumes', () => {
  it('are made for one claim only, in a folder named after it', () => {
    const volume = volumeFor(claim(), '/run/instance/volumes');
    expect(volume?.spec).toMatchObject({
      capacity: { storage: '2Gi' },
      claimRef: { namespace: 'apps', name: 'data', uid: 'u-1' },
      hostPath: { path: '/run/instance/volumes/pvc-u-1' },
    });
  });

  it('are not made for claims of another provisioner or claims that have one', () => {
    expect(volumeFor(claim({ annotation: 'ebs.csi.aws.com' }), '/v')).toBeUndefined();
    expect(volumeFor(claim({ volumeName: 'other' }), '/v')).toBeUndefined();
  });
});

describe('add-ons', () => {
  it('have a path on the API server, each its own', async () => {
    const objects = [...(await gatewayApi()), storageClass(), ...clusterDns(addressPlan(0), 'coredns:1', [])];
    const paths = objects.map(pathOf);
    expect(new Set(paths).size).toBe(objects.length);
    expect(paths).toContain('/apis/apps/v1/namespaces/kube-system/deployments/coredns');
    expect(paths).toContain(
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io',
    );
    expect(paths).toContain('/apis/storage.k8s.io/v1/storageclasses/standard');
  });

  it('answer names outside the cluster only when there are name servers for them', () => {
    const corefile = (upstream: string[]): string => JSON.stringify(clusterDns(addressPlan(0), 'coredns:1', upstream));
    expect(corefile([])).toContain('rcode NXDOMAIN');
    expect(corefile([])).not.toContain('forward');
    expect(corefile(['192.0.2.53'])).toContain('forward . 192.0.2.53');
  });

  it('refuse a kind that nobody told the client about', () => {
    expect(() => pathOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } })).toThrow(/kind Secret/);
  });
});

it('a kubeconfig names everything after the instance', () => {
  const text = kubeconfig({
    name: 'start-1',
    server: 'https://127.0.0.1:1',
    authority: 'a',
    certificate: 'c',
    key: 'k',
  });
  expect(text).toContain('current-context: start-1');
  expect(text).toContain(`client-key-data: ${Buffer.from('k').toString('base64')}`);
  expect(() => new ApiClient(text).close()).not.toThrow();
});
