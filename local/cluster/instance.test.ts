import { describe, expect, it } from 'vitest';
import { filesOf, instanceOf } from './instance.ts';

describe('instance', () => {
  it('is named by its folder, so that two clones differ', () => {
    const one = instanceOf('/home/a/clone/.state/start');
    const two = instanceOf('/home/b/clone/.state/start');
    expect(one.id).toMatch(/^start-[0-9a-f]{8}$/);
    expect(two.id).not.toBe(one.id);
    expect(two.hostLink).not.toBe(one.hostLink);
    expect(two.cgroup).not.toBe(one.cgroup);
    expect(instanceOf('/home/a/clone/.state/start/')).toEqual(one);
  });

  it('makes a valid DNS label and link name of any folder name', () => {
    for (const name of ['Über Ordner', '---', 'a'.repeat(200), 'x.y_z', 'test-control-plane']) {
      const { id, hostLink } = instanceOf(`/state/${name}`);
      expect(id).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      expect(id.length).toBeLessThanOrEqual(63);
      expect(hostLink.length).toBeLessThanOrEqual(15);
    }
  });

  it('keeps every file below its root', () => {
    for (const path of Object.values<string>({ ...filesOf('/run/instance') }))
      expect(path.startsWith('/run/instance')).toBe(true);
  });
});
