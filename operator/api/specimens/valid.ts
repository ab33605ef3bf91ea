// Valid AssistantDeployments: what must not be refused, each at the edge of a rule.
import { blueGreenObject, canaryObject, changed, smallestObject, type Loose } from './base.ts';

/** One object that the API server must take. */
export interface ValidSpecimen {
  readonly title: string;
  readonly object: Loose;
}

const canary = canaryObject();
const blueGreen = blueGreenObject();
const smallest = smallestObject();
const scaled = {
  max: 20,
  metrics: [
    { type: 'Connections', targetPerPod: 500 },
    { type: 'CPU', targetPerPod: 70 },
    { type: 'Prometheus', query: 'sum(queue{component="{{component}}"})', target: '12.5' },
  ],
  scaleIn: { drainTimeout: '10m' },
};

const all = (title: string, changes: Readonly<Record<string, unknown>>, original = canary): ValidSpecimen => ({
  title,
  object: changed(original, ...Object.entries(changes)),
});

export const validSpecimens: readonly ValidSpecimen[] = [
  all('the canary of the contract', {}),
  all('the blue-green of the contract', {}, blueGreen),
  all('the smallest', {}, smallest),
  all('blue-green with nothing said', { 'spec.strategy': { type: 'BlueGreen', blueGreen: {} } }, smallest),
  all(
    'blue-green that waits for a person',
    { 'spec.strategy': { type: 'BlueGreen', blueGreen: { autoPromote: false } } },
    smallest,
  ),
  all('autoscaling', { 'spec.components.chat.replicas': undefined, 'spec.components.chat.autoscaling': scaled }),
  all('four components with paths by default', {
    'spec.components.worker': { image: 'w' },
    'spec.components.voice-eu': { image: 'v' },
  }),
  all('no replicas at all', { 'spec.components.chat.replicas': 0 }),
  all('equal weights one after the other', {
    'spec.strategy.canary.steps': [{ setWeight: 10 }, { pause: {} }, { setWeight: 10 }, { setWeight: 100 }],
  }),
  all('durations of every form', {
    'spec.strategy.canary.steps': [
      { pause: { duration: '1h30m' } },
      { pause: { duration: '90s' } },
      { pause: { duration: '1500ms' } },
    ],
  }),
  all('a template with anything in it', {
    'spec.components.chat.template': {
      metadata: { annotations: { a: 'b' } },
      spec: {
        affinity: { nodeAffinity: {} },
        containers: [{ name: 'chat', lifecycle: {} }],
        serviceAccountName: 'assistant',
      },
    },
  }),
  all('variables of every kind', {
    'spec.components.chat.env': [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'EMPTY' },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'a', optional: true } } },
      { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    ],
    'spec.components.chat.envFrom': [
      { configMapRef: { name: 'assistant-platform' } },
      { prefix: 'S_', secretRef: { name: 's' } },
    ],
    'spec.components.chat.resources': {
      requests: { cpu: 1, memory: '128Mi' },
      limits: { memory: '384Mi', 'example.com/gpu': '1' },
    },
  }),
  all('a metric of its own query, with a lower limit below zero', {
    'spec.metrics.1': { name: 'ttft', prometheus: { query: 'up{revision="{{revision}}"}' }, min: '-1.5' },
  }),
  all('no host names', { 'spec.gateway.hostnames': undefined }),
  all('a wildcard host name', { 'spec.gateway.hostnames': ['*.example.com', 'localhost'] }),
  all('the longest name', { 'metadata.name': 's'.repeat(43) }),
  all('no drain time', { 'spec.strategy.drain': { deadline: '0s' } }),
];
