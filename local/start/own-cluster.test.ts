import { describe, expect, it } from 'vitest';
import { imageRoute, nodeAddressOf, storageClassOf, unknownContext } from './own-cluster.ts';
import { ownCluster } from './target.ts';

describe('own cluster', () => {
  it('gets its images by the tool that made it, or from a registry', () => {
    const kind = imageRoute('kind-my-cluster', undefined);
    expect(kind.kind === 'tool' && [kind.program, ...kind.args('a.tar')]).toEqual([
      'kind',
      'load',
      'image-archive',
      'a.tar',
      '--name',
      'my-cluster',
    ]);
    const k3d = imageRoute('k3d-one', undefined);
    expect(k3d.kind === 'tool' && k3d.args('a.tar')).toEqual(['image', 'import', 'a.tar', '--cluster', 'one']);
    expect(imageRoute('minikube', undefined).kind).toBe('tool');
    expect(imageRoute('arn:aws:eks:eu-central-1:1:cluster/x', undefined)).toEqual({ kind: 'unknown' });
    expect(imageRoute('kind-a', 'ghcr.io/me')).toEqual({ kind: 'registry', prefix: 'ghcr.io/me' });
  });

  it('says where its NodePorts answer', () => {
    const address = (type: string, value: string) => ({ type, address: value });
    const nodes = {
      items: [{ status: { addresses: [address('Hostname', 'n'), address('InternalIP', '172.18.0.2')] } }],
    };
    expect(nodeAddressOf(JSON.stringify(nodes))).toBe('172.18.0.2');
    expect(() => nodeAddressOf('{"items":[]}')).toThrow(/no node/);
  });

  it('uses its default StorageClass, or the only one', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const classes = { items: [{ metadata: { name: 'slow' } }, { metadata: { name: 'gp3', annotations } }] };
    expect(storageClassOf(JSON.stringify(classes))).toBe('gp3');
    expect(storageClassOf('{"items":[{"metadata":{"name":"only"}}]}')).toBe('only');
    expect(() => storageClassOf('{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}')).toThrow(/default/);
  });

  it('is asked for by a context that the kubeconfig has', () => {
    const target = ownCluster('kind-c', { KUBECONFIG: '/k' });
    expect(unknownContext(target, ['kind-a', 'prod'])).toMatch(/"kind-c".*\/k: it has kind-a, prod/);
    expect(unknownContext(target, [])).toMatch(/it has none/);
  });

  it('has a stack of its own', () => {
    const one = ownCluster('kind-a', {});
    const two = ownCluster('kind/a', { KUBECONFIG: '/k' });
    expect(one.stack).toMatch(/^[A-Za-z0-9_.-]+$/);
    expect(one.stack).not.toBe(two.stack);
    expect(one.kubeconfig).toMatch(/\.kube\/config$/);
    expect(two.kubeconfig).toBe('/k');
  });
});
