// Mistakes that no schema of ours can know: what a component refers to is not there, or Kubernetes refuses the pod that is made of it. The operator
// has to say them, in the status.
import type { Chance } from '../../simulator/random.ts';
import { isJson, type Json, withValue } from '../schema.ts';

/** One such mistake. */
export interface PodMistake {
  readonly title: string;
  /** What the words in the status must name. */
  readonly named: RegExp;
  /** Members that the component gets instead of its own. */
  readonly component: (chance: Chance, name: string) => Json;
}

const variable = (valueFrom: Json): Json => ({ env: [{ name: 'MISTAKEN', valueFrom }] });
const main = (name: string, members: Json): Json => ({ template: { spec: { containers: [{ name, ...members }] } } });

/** References that do not exist. */
export const missingReferences: readonly PodMistake[] = [
  {
    title: 'a key of a ConfigMap that is not there',
    named: /ConfigMap\/nowhere.* do(es)? not exist/,
    component: () => variable({ configMapKeyRef: { name: 'nowhere', key: 'a' } }),
  },
  {
    title: 'a key of a Secret that is not there',
    named: /Secret\/nowhere.* do(es)? not exist/,
    component: () => variable({ secretKeyRef: { name: 'nowhere', key: 'a' } }),
  },
  {
    title: 'a ConfigMap of variables that is not there',
    named: /ConfigMap\/nowhere.* do(es)? not exist/,
    component: () => ({ envFrom: [{ configMapRef: { name: 'nowhere' } }] }),
  },
  {
    title: 'a volume of a Secret that is not there',
    named: /Secret\/nowhere.* do(es)? not exist/,
    component: () => ({ template: { spec: { volumes: [{ name: 'keys', secret: { secretName: 'nowhere' } }] } } }),
  },
];

/** Pods that the API server refuses. */
export const refusedPods: readonly PodMistake[] = [
  {
    title: 'a field of the pod that there is not',
    named: /fieldPath/,
    component: (chance) => variable({ fieldRef: { fieldPath: chance.pick(['status.nothing', 'spec', 'podIP']) } }),
  },
  {
    title: 'a resource of the container that there is not',
    named: /resourceFieldRef\.resource/,
    component: (chance) => variable({ resourceFieldRef: { resource: chance.pick(['limits.gpu', 'memory', 'cpu']) } }),
  },
  {
    title: 'a request above the limit',
    named: /resources\.requests/,
    component: (chance) =>
      chance.pick<Json>([
        { resources: { requests: { cpu: 2 }, limits: { cpu: '1500m' } } },
        { resources: { requests: { memory: '2Gi' }, limits: { memory: '2G' } } },
      ]),
  },
  {
    title: 'a resource that Kubernetes does not know',
    named: /resources\.(requests|limits)\S*(cores|ram)/,
    component: (chance) =>
      chance.pick<Json>([{ resources: { requests: { cores: 2 } } }, { resources: { limits: { ram: '1Gi' } } }]),
  },
  {
    title: 'a claim that the pod does not have',
    named: /resources\.claims\[0\]/,
    component: () => ({ resources: { claims: [{ name: 'nobody' }] }, template: {} }),
  },
  {
    title: 'a mount of a volume that there is not',
    named: /volumeMounts\[\d+\]\.name/,
    component: (_chance, name) => main(name, { volumeMounts: [{ name: 'nowhere', mountPath: '/data' }] }),
  },
  {
    title: 'a second container without image',
    named: /containers\[\d+\]\.image/,
    component: () => ({ template: { spec: { containers: [{ name: 'second' }] } } }),
  },
  {
    title: 'a restart policy for jobs',
    named: /restartPolicy/,
    component: (chance) => ({ template: { spec: { restartPolicy: chance.pick(['Never', 'OnFailure', 'never']) } } }),
  },
  {
    title: 'a label with a space',
    named: /labels/,
    component: () => ({ template: { metadata: { labels: { 'example.com/team': 'two words' } } } }),
  },
  {
    title: 'an unknown DNS policy',
    named: /dnsPolicy/,
    component: () => ({ template: { spec: { dnsPolicy: 'Cluster' } } }),
  },
  {
    title: 'a negative grace period',
    named: /terminationGracePeriodSeconds/,
    component: () => ({ template: { spec: { terminationGracePeriodSeconds: -5 } } }),
  },
  {
    title: 'a service account in upper case',
    named: /serviceAccountName/,
    component: () => ({ template: { spec: { serviceAccountName: 'Assistant' } } }),
  },
  {
    title: 'a host port out of range',
    named: /containers\[0\]\.ports\[\d\]\.hostPort/,
    component: (_chance, name) => main(name, { ports: [{ containerPort: 7000, hostPort: 70_000 }] }),
  },
  {
    title: 'a toleration of an unknown effect',
    named: /tolerations\[0\]\.effect/,
    component: () => ({ template: { spec: { tolerations: [{ key: 'a', effect: 'NoRun' }] } } }),
  },
  {
    title: 'a grace period as text',
    named: /terminationGracePeriodSeconds/,
    component: () => ({ template: { spec: { terminationGracePeriodSeconds: 'long' } } }),
  },
  {
    title: 'a member of the pod that there is not',
    named: /serviceAcount/,
    component: () => ({ template: { spec: { serviceAcount: 'assistant' } } }),
  },
  {
    title: 'a list where an object belongs',
    named: /securityContext/,
    component: () => ({ template: { spec: { securityContext: ['runAsNonRoot'] } } }),
  },
];

/** The object with the mistake in its first component. */
export function withPodMistake(chance: Chance, object: Json, mistake: PodMistake): Json {
  const { components } = object['spec'] as { components: Json };
  const [name = 'chat'] = Object.keys(components);
  const path = ['spec', 'components', name];
  const {
    env: _env,
    envFrom: _envFrom,
    resources: _resources,
    template: _template,
    ...rest
  } = isJson(components[name]) ? components[name] : {};
  return withValue(object, path, { ...rest, ...mistake.component(chance, name) });
}
