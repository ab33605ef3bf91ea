import { withDefaults, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { canaryCapacity } from './canary.ts';
import { renderPodTemplate } from './podTemplate.ts';
import { canary, sampleRelease, withReplicas } from './releases.ts';
import { copyName, referencesOf } from './references.ts';
import { targetOf } from './revision.ts';
import { strategicMerge } from './strategicMerge.ts';

type ComponentSpec = AssistantDeploymentSpec['components'][string];

const release = (change: Partial<ComponentSpec> = {}) =>
  withDefaults({
    release: '1',
    components: { chat: { image: 'chat:1', ...change } },
    gateway: { parentRef: { name: 'public' } },
    strategy: canary(),
  });

const hashOf = (change: Partial<ComponentSpec>, references: Record<string, string | null> = {}): string => {
  const target = targetOf(release(change), references);
  return target.kind === 'Known' ? target.hash : target.missing.join();
};

describe('what makes a revision', () => {
  it.each<[string, Partial<ComponentSpec>]>([
    ['image', { image: 'chat:2' }],
    ['port', { port: 8081 }],
    ['admin port', { adminPort: 9091 }],
    ['env', { env: [{ name: 'A', value: 'b' }] }],
    ['resources', { resources: { requests: { cpu: '1' } } }],
    ['template', { template: { spec: { nodeName: 'x' } } }],
  ])('%s', (_name, change) => expect(hashOf(change)).not.toBe(hashOf({})));

  it.each<[string, Partial<ComponentSpec>]>([
    ['replicas', { replicas: 7 }],
    ['path', { path: '/other' }],
  ])('not %s', (_name, change) => expect(hashOf(change)).toBe(hashOf({})));

  it('the data of what is referred to; a missing one names itself', () => {
    const change = { envFrom: [{ configMapRef: { name: 'settings' } }] };
    expect(hashOf(change, { 'ConfigMap/settings': 'a' })).not.toBe(hashOf(change, { 'ConfigMap/settings': 'b' }));
    expect(hashOf(change, { 'ConfigMap/settings': null })).toBe('ConfigMap/settings');
    expect(hashOf(change)).toBe('ConfigMap/settings');
  });

  it('finds references in env, envFrom and volumes, optional ones apart', () => {
    const { components } = release({
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'maybe', key: 'b', optional: true } } },
      ],
      envFrom: [{ configMapRef: { name: 'settings' } }],
      template: {
        spec: {
          volumes: [
            { name: 'v', secret: { secretName: 'tls' } },
            { name: 'w', configMap: { name: 'files' } },
          ],
        },
      },
    });
    expect(referencesOf(components['chat']!)).toEqual([
      'ConfigMap/files',
      'ConfigMap/settings',
      'Secret/keys',
      'Secret/tls',
    ]);
  });

  it('is the same whatever the order of keys', () => {
    const one = hashOf({ resources: { requests: { cpu: '1', memory: '1Gi' } } });
    expect(hashOf({ resources: { requests: { memory: '1Gi', cpu: '1' } } })).toBe(one);
  });
});

describe('references of every form', () => {
  it.each<[string, unknown, string[]]>([
    ['configMapRef', { name: 'c' }, ['ConfigMap/c']],
    ['configMapKeyRef', { name: 'c', key: 'k' }, ['ConfigMap/c']],
    ['configMap', { name: 'c' }, ['ConfigMap/c']],
    ['secretRef', { name: 's' }, ['Secret/s']],
    ['secretKeyRef', { name: 's', key: 'k' }, ['Secret/s']],
    ['secret', { secretName: 's' }, ['Secret/s']],
    ['secret', { name: 's' }, ['Secret/s']],
    ['configMapRef', { name: 'c', optional: true }, []],
    ['configMapRef', { name: 'c', optional: false }, ['ConfigMap/c']],
    ['configMapRef', {}, []],
    ['configMapRef', null, []],
    ['configMapRef', 'c', []],
    ['somethingElse', { name: 'c' }, []],
    ['toString', { name: 'c' }, []],
  ])('%s %o', (field, value, found) => {
    expect(referencesOf({ template: { spec: { anything: [{ [field]: value }] } } })).toEqual(found);
  });

  it('are copied under a name that is never too long', () => {
    const at = 'n'.repeat(253 - 'support-0a1b2c3d-'.length);
    expect(copyName('support', '0a1b2c3d', `Secret/${at}`)).toBe(`support-0a1b2c3d-${at}`);
    expect(copyName('support', '0a1b2c3d', `Secret/${at}n`)).toMatch(/^support-0a1b2c3d-[0-9a-f]{16}$/);
  });
});

describe('capacity of a canary', () => {
  it.each([
    [10, 0, 1],
    [10, 10, 1],
    [10, 11, 2],
    [3, 50, 2],
    [2, 100, 2],
    [0, 50, 0],
  ])('%i replicas at %i %%: %i', (replicas, weight, pods) => expect(canaryCapacity(replicas, weight)).toBe(pods));
});

describe('pod template', () => {
  const render = (change: Partial<ComponentSpec> = {}) =>
    renderPodTemplate({
      subjectName: 'support',
      component: 'chat',
      hash: 'abc',
      release: '1',
      spec: release(change).components['chat']!,
      drain: { deadlineMs: 600_000, closePerSecond: 25 },
    });

  it('keeps the pod contract: environment, ports, probes, unprivileged user', () => {
    const template = render({ port: 8181, adminPort: 9191, env: [{ name: 'MINE', value: 'x' }] }) as never as {
      spec: {
        securityContext: object;
        containers: {
          env: { name: string; value: string }[];
          ports: object[];
          readinessProbe: object;
          securityContext: object;
        }[];
      };
    };
    const [container] = template.spec.containers;
    expect(Object.fromEntries(container!.env.map(({ name, value }) => [name, value]))).toEqual({
      ASSISTANT_NAME: 'support',
      ASSISTANT_COMPONENT: 'chat',
      ASSISTANT_REVISION: 'abc',
      ASSISTANT_RELEASE: '1',
      ASSISTANT_ADMIN_TOKEN_FILE: '/var/run/assistant/admin/token',
      ASSISTANT_DRAIN_SECONDS: '600',
      ASSISTANT_DRAIN_PER_SECOND: '25',
      PORT: '8181',
      ADMIN_PORT: '9191',
      MINE: 'x',
    });
    expect(container!.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'http' } });
    expect(container!.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
  });

  it('[R-304] lets an evicted pod outlast its drain: preStop, the drain deadline, and what ends after it', () => {
    const template = render() as never as {
      spec: { terminationGracePeriodSeconds: number; containers: { lifecycle: object }[] };
    };
    // 5 s preStop, 3 s until gateways have noticed, the drain, 25 s for what is under way then (services/degradation.md).
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5 + 3 + 600 + 25);
    expect(template.spec.containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } });
  });

  it.each([
    [600, { preStop: { sleep: { seconds: 5 } } }],
    [3, { preStop: { sleep: { seconds: 2 } } }],
    [2, { preStop: { sleep: { seconds: 1 } } }],
    [1, undefined],
    [0, undefined],
  ])('lets preStop end within the %i s that a person gives the pod to end', (grace, lifecycle) => {
    const template = render({ template: { spec: { terminationGracePeriodSeconds: grace } } }) as never as {
      spec: { terminationGracePeriodSeconds: number; containers: { lifecycle?: object }[] };
    };
    expect(template.spec.terminationGracePeriodSeconds).toBe(grace);
    expect(template.spec.containers[0]?.lifecycle).toEqual(lifecycle);
  });

  it('keeps preStop beside a negative time to end, so that Kubernetes refuses the pod: alone it would be taken for one second', () => {
    const template = render({ template: { spec: { terminationGracePeriodSeconds: -5 } } }) as never as {
      spec: { containers: { lifecycle?: object }[] };
    };
    expect(template.spec.containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } });
  });

  it('is patched by the person, who cannot take the pod out of its revision', () => {
    const template = render({
      template: {
        metadata: { labels: { team: 'a', 'assistant-platform.io/revision': 'stolen' } },
        spec: {
          serviceAccountName: 'assistant',
          containers: [
            { name: 'chat', env: [{ name: 'MINE', value: 'y' }] },
            { name: 'sidecar', image: 's' },
          ],
        },
      },
    }) as never as {
      metadata: { labels: Record<string, string> };
      spec: { serviceAccountName: string; containers: { name: string; image: string }[] };
    };
    expect(template.metadata.labels).toMatchObject({ team: 'a', 'assistant-platform.io/revision': 'abc' });
    expect(template.spec.serviceAccountName).toBe('assistant');
    expect(template.spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ['chat', 'chat:1'],
      ['sidecar', 's'],
    ]);
  });
});

describe('strategic merge', () => {
  it('merges maps and keyed lists, replaces other lists, removes with null and $patch', () => {
    const base = {
      a: { b: 1, c: 2 },
      args: ['x'],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'old', emptyDir: {} },
      ],
      gone: 1,
    };
    const patch = {
      a: { c: 3 },
      args: ['y', 'z'],
      volumes: [
        { name: 'old', $patch: 'delete' },
        { name: 'tmp', emptyDir: { medium: 'Memory' } },
      ],
      gone: null,
    };
    expect(strategicMerge(base, patch)).toEqual({
      a: { b: 1, c: 3 },
      args: ['y', 'z'],
      volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }],
    });
    expect(base.a.c).toBe(2);
  });

  it('adds what is not there yet, and removes nothing for a delete of what is not there', () => {
    expect(strategicMerge({ a: 1, volumes: [] }, { a: { b: 2 } })).toEqual({ a: { b: 2 }, volumes: [] });
    expect(strategicMerge({}, { a: { b: 2 } })).toEqual({ a: { b: 2 } });
    const volumes = [{ name: 'tmp' }];
    expect(strategicMerge({ volumes }, { volumes: [{ name: 'other', $patch: 'delete' }] })).toEqual({ volumes });
    expect(strategicMerge({ volumes }, { volumes: [{ name: 'tmp', $patch: 'delete' }] })).toEqual({ volumes: [] });
    expect(strategicMerge({ volumes }, { volumes: ['odd', { name: 'more' }] })).toEqual({
      volumes: [{ name: 'tmp' }, 'odd', { name: 'more' }],
    });
  });
});

it('scaling makes no new revision', () => {
  const one = sampleRelease('1.0.0');
  expect(targetOf(withReplicas(one, 9), {})).toEqual(targetOf(one, {}));
});
