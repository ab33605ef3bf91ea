// The end of the embedded cluster: nothing of it is left on the machine.
import { describe, expect, inject, it } from 'vitest';
import { stopCluster } from '@assistant-platform/local/cluster';
import { residueOf } from '../../local/cluster/residue.ts';

describe('the end of the cluster', () => {
  it('a stop leaves no process, mount, device, route or cgroup', async () => {
    const stateDir = inject('stateDir');
    await stopCluster(stateDir);
    const left = Object.entries<readonly string[]>({ ...(await residueOf(stateDir)) }).filter(
      ([, items]) => items.length > 0,
    );
    expect(left).toEqual([]);
  });
});
