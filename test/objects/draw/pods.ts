// Parts of a component that become its pod, drawn so that Kubernetes takes the Deployment, too: environment, resources, the template patch.
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import { OPERATOR_VARIABLES } from '../../../operator/api/schema/podParts.ts';
import type { Chance } from '../../simulator/random.ts';
import { drawDistinct, drawLabel, drawObjectName, drawText, keyForm, variableForm } from './texts.ts';

type Component = AssistantDeploymentSpec['components'][string];
type Variable = NonNullable<Component['env']>[number];
type VariableSet = NonNullable<Component['envFrom']>[number];
type Resources = NonNullable<Component['resources']>;
type Source = NonNullable<Variable['valueFrom']>;

/** Each optional part is there with this probability. */
export type Richness = number;

const POD_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  "metadata.labels['app.kubernetes.io/name']",
  "metadata.annotations['example.com/a']",
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.podIP',
];
const CONTAINER_RESOURCES = [
  ['limits.cpu', ['1', '1m', 1]],
  ['requests.cpu', ['1m']],
  ['limits.memory', ['1', '1k', '1Ki', '1Mi', '1G']],
  ['requests.ephemeral-storage', ['1Mi']],
] as const;

/** Puts a member in, or leaves it out. */
export const maybe = <K extends string, V>(
  chance: Chance,
  rich: Richness,
  key: K,
  draw: () => V,
): Partial<Record<K, V>> => (chance.happens(rich) ? ({ [key]: draw() } as Record<K, V>) : {});

export function drawEnv(chance: Chance, rich: Richness, most = 6): Variable[] {
  const names = drawDistinct(chance, chance.integer(0, most), () => drawText(chance, variableForm)).filter(
    (name) => !(OPERATOR_VARIABLES as readonly string[]).includes(name),
  );
  return names.map((name): Variable => {
    switch (chance.weighted({ value: 4, source: 5, nothing: 1 })) {
      case 'value':
        return { name, value: drawLabel(chance, chance.happens(0.02) ? 32_768 : 80) };
      case 'source':
        return { name, valueFrom: drawSource(chance, rich) };
      case 'nothing':
        return { name };
    }
  });
}

function drawSource(chance: Chance, rich: Richness): Source {
  const keyRef = (): { name: string; key: string; optional?: boolean } => ({
    name: drawObjectName(chance),
    key: drawText(chance, keyForm),
    ...maybe(chance, rich, 'optional', () => chance.happens(0.5)),
  });
  switch (chance.weighted({ configMap: 2, secret: 2, field: 1, resource: 1 })) {
    case 'configMap':
      return { configMapKeyRef: keyRef() };
    case 'secret':
      return { secretKeyRef: keyRef() };
    case 'field':
      return { fieldRef: { fieldPath: chance.pick(POD_FIELDS), ...maybe(chance, rich, 'apiVersion', () => 'v1') } };
    case 'resource': {
      const [resource, divisors] = chance.pick(CONTAINER_RESOURCES);
      return {
        resourceFieldRef: {
          resource,
          ...maybe(chance, rich, 'divisor', () => chance.pick<string | number>(divisors)),
          ...maybe(chance, rich, 'containerName', () => 'sidecar'),
        },
      };
    }
  }
}

export function drawEnvFrom(chance: Chance, rich: Richness): VariableSet[] {
  return Array.from({ length: chance.integer(0, 3) }, (): VariableSet => {
    const ref = { name: drawObjectName(chance), ...maybe(chance, rich, 'optional', () => chance.happens(0.5)) };
    return {
      ...maybe(chance, rich, 'prefix', () => drawText(chance, { ...variableForm, most: 63 })),
      ...(chance.happens(0.5) ? { configMapRef: ref } : { secretRef: ref }),
    };
  });
}

/** Requests are at most the limits; devices have both alike, as Kubernetes demands of what cannot be overcommitted. */
export function drawResources(chance: Chance, rich: Richness, claims: readonly string[]): Resources {
  const cpu = chance.integer(1, 8);
  const memory = chance.integer(1, 4096);
  const device: Record<string, string | number> = chance.happens(0.2)
    ? { 'example.com/gpu': chance.pick(['1', 2]) }
    : {};
  const requests: Record<string, string | number> = {
    ...maybe(chance, rich, 'cpu', () => chance.pick([`${cpu * 100}m`, `0.${cpu}`, `${cpu}e-1`, `${cpu}m`])),
    ...maybe(chance, rich, 'memory', () => chance.pick([`${memory}Ki`, `${memory}k`, memory])),
    ...device,
  };
  const limits: Record<string, string | number> = {
    ...maybe(chance, rich, 'cpu', () => chance.pick([cpu, `${cpu}`, `${cpu}000m`])),
    ...maybe(chance, rich, 'memory', () => chance.pick([`${memory}Mi`, `${memory}M`, `${memory}Gi`])),
    ...maybe(chance, rich / 2, 'ephemeral-storage', () => '2Gi'),
    ...device,
  };
  return {
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(claims.length > 0
      ? { claims: claims.map((name) => ({ name, ...maybe(chance, rich, 'request', () => 'one') })) }
      : {}),
  };
}

/** A patch on the pod template, as people write them. */
export function drawTemplate(chance: Chance, component: string, claims: readonly string[]): Record<string, unknown> {
  const parts: Record<string, () => Record<string, unknown>> = {
    nothing: () => ({}),
    priority: () => ({ priority: null, enableServiceLinks: false }),
    node: () => ({ nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations: [{ operator: 'Exists' }] }),
    sidecar: () => ({ containers: [{ name: 'sidecar', image: 'localhost/sidecar:1' }] }),
    first: () => ({ initContainers: [{ name: 'first', image: 'localhost/first:1', command: ['true'] }] }),
    main: () => ({ containers: [{ name: component, lifecycle: null, stdin: true, workingDir: '/tmp' }] }),
    volumes: () => ({
      volumes: [
        { name: 'settings', configMap: { name: drawObjectName(chance) } },
        { name: 'keys', secret: { secretName: drawObjectName(chance), optional: true } },
        { name: 'both', projected: { sources: [{ secret: { name: 'tls' } }, { configMap: { name: 'ca' } }] } },
      ],
      containers: [{ name: component, volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }] }],
    }),
    spread: () => ({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
    }),
    grace: () => ({ terminationGracePeriodSeconds: chance.integer(0, 3600), dnsPolicy: 'ClusterFirst' }),
  };
  const spec = {
    ...parts[chance.pick(Object.keys(parts))]?.(),
    ...(claims.length > 0 ? { resourceClaims: claims.map((name) => ({ name, resourceClaimName: 'device' })) } : {}),
  };
  const metadata = chance.happens(0.3)
    ? { labels: { 'example.com/team': 'support' }, annotations: { 'example.com/note': drawLabel(chance, 200) } }
    : undefined;
  return { ...(metadata === undefined ? {} : { metadata }), ...(Object.keys(spec).length > 0 ? { spec } : {}) };
}
