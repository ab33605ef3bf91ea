import { describe, expect, it } from 'vitest';
import { hierarchies } from './cgroups.ts';

describe('cgroup hierarchies', () => {
  it('are found on a machine with v1 and a v2 hierarchy beside it', () => {
    const mountinfo = [
      '30 29 0:22 / /sys rw,relatime shared:2 - sysfs sysfs rw',
      '31 30 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
      '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '33 31 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd',
      '34 31 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    ].join('\n');
    expect(hierarchies(mountinfo)).toEqual([
      { mountPoint: '/sys/fs/cgroup/cpu', version: 1, controllers: ['cpu', 'cpuacct'] },
      { mountPoint: '/sys/fs/cgroup/systemd', version: 1, controllers: ['name=systemd'] },
      { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] },
    ]);
  });

  it('are found on a machine with v2 only', () => {
    expect(hierarchies('26 22 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n')).toEqual([
      { mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] },
    ]);
  });
});
