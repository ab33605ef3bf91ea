// The AssistantDeployment that people of a schedule work on: chat and realtime, small steps, short waits.
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import type { ComponentSet, StrategyKind, Version } from './actions.ts';

export const SUBJECT = { namespace: 'assistants', name: 'support' } as const;
/** A ConfigMap that chat refers to: its content is part of the revision. */
export const SETTINGS = { namespace: 'assistants', name: 'chat-settings' } as const;

type Strategy = AssistantDeploymentSpec['strategy'];
type Components = AssistantDeploymentSpec['components'];

const COMMON = { drain: { deadline: '20s' }, progressDeadline: '1m', rollbackWindow: { revisions: 3 } } as const;

const canary = (steps: NonNullable<Strategy['canary']>['steps']): Strategy => ({
  type: 'Canary',
  canary: { steps },
  ...COMMON,
});

/** Looked at every two seconds: the limit, and the comparison with stable. */
const ERRORS = { metrics: ['errors'], interval: '2s' };
const RATIO = { metrics: ['ratio'], interval: '2s' };

export const STRATEGIES: Readonly<Record<StrategyKind, Strategy>> = {
  canary: canary([{ setWeight: 10 }, { pause: { duration: '3s' } }, { setWeight: 50 }, { pause: { duration: '3s' } }]),
  short: canary([{ setWeight: 30 }]),
  held: canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }]),
  blueGreen: { type: 'BlueGreen', blueGreen: { autoPromoteAfter: '2s', scaleDownDelay: '5s' }, ...COMMON },
  preview: { type: 'BlueGreen', blueGreen: { autoPromote: false, scaleDownDelay: '5s' }, ...COMMON },
  analysed: {
    type: 'Canary',
    canary: {
      steps: [
        { setWeight: 20 },
        { analysis: { ...ERRORS, duration: '6s' } },
        { setWeight: 60 },
        { pause: { duration: '4s' } },
      ],
      analysis: ERRORS,
    },
    ...COMMON,
  },
  judged: {
    type: 'BlueGreen',
    blueGreen: {
      prePromotion: { ...ERRORS, duration: '4s' },
      postPromotion: { ...ERRORS, duration: '6s' },
      scaleDownDelay: '5s',
    },
    ...COMMON,
  },
  compared: {
    type: 'Canary',
    canary: {
      steps: [
        { setWeight: 20 },
        { analysis: { ...RATIO, duration: '12s' } },
        { setWeight: 60 },
        { pause: { duration: '6s' } },
      ],
      analysis: RATIO,
    },
    ...COMMON,
  },
  matched: {
    type: 'BlueGreen',
    blueGreen: {
      prePromotion: { metrics: ['errors', 'ratio'], interval: '2s', duration: '8s' },
      postPromotion: { ...RATIO, duration: '8s' },
      scaleDownDelay: '5s',
    },
    ...COMMON,
  },
};

const NAMES: Readonly<Record<ComponentSet, readonly string[]>> = {
  both: ['chat', 'realtime'],
  chat: ['chat'],
  withVoice: ['chat', 'realtime', 'voice'],
};

export const image = (component: string, version: string): string => `localhost/assistant/${component}:${version}`;

/** Components of a version. */
export function components(version: string, replicas = 2, set: ComponentSet = 'both'): Components {
  return Object.fromEntries(
    NAMES[set].map((name) => [
      name,
      {
        image: image(name, version),
        replicas,
        ...(name === 'voice' ? { path: '/voice' } : {}),
        ...(name === 'chat' ? { envFrom: [{ configMapRef: { name: SETTINGS.name } }] } : {}),
      },
    ]),
  );
}

export const spec = (version: Version | '2.0.0', strategy: Strategy = STRATEGIES.canary): AssistantDeploymentSpec => ({
  release: version,
  components: components(version),
  gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
  strategy,
  metrics: [
    { name: 'errors', preset: 'ErrorRate', max: '0.05', minSamples: 20, failureLimit: 1 },
    { name: 'ratio', preset: 'ErrorRate', comparedTo: { stable: { maxRatio: '2' } }, minSamples: 20 },
  ],
  revisionHistoryLimit: 2,
});
