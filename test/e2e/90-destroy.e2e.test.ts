// The way out: `pulumi destroy` empties the cluster.
import { describe, expect, inject, it } from 'vitest';
import { DevStack } from '../../local/start/stack.ts';
import { kubectl } from './access.ts';

describe('the way out', () => {
  it('pulumi destroy leaves the cluster empty', async () => {
    const { kubeconfig, context } = inject('where');
    const stack = await DevStack.open({ kind: 'embedded', kubeconfig, context, stack: 'dev' });
    const log: string[] = [];
    await stack
      .destroy((line) => log.push(line))
      .catch((error: unknown) => {
        throw new Error(log.slice(-40).join('\n'), { cause: error });
      });
    const namespaces = (await kubectl('get', 'namespaces', '-o', 'name')).trim().split('\n');
    expect(namespaces.filter((name) => !/\/(default|kube-)/.test(name))).toEqual([]);
    const crds = await kubectl('get', 'crds', '-o', 'name');
    expect(crds).not.toContain('assistant-platform.io');
    expect(await kubectl('get', 'persistentvolumeclaims', '-A', '-o', 'name')).toBe('');
    const roles = await kubectl('get', 'clusterroles,clusterrolebindings', '-o', 'name');
    expect(roles).not.toMatch(/assistant|traefik|prometheus/);
  });
});
