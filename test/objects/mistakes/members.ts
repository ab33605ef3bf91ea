// Mistakes between members: one for each CEL rule that stands on an object, a list or a map.
import type { StructuralSchema } from '../../../operator/api/crd/structural.ts';
import type { Chance } from '../../simulator/random.ts';
import { isJson, nodesOf, withValue, type Json, type Path } from '../schema.ts';
import type { Site } from './mistake.ts';

/** Changes of one value, and the member that is mistaken by them. */
interface Broken {
  readonly set: Readonly<Record<string, unknown>>;
  readonly at?: Path;
}
type Break = (chance: Chance, value: Json, whole: Json) => Broken | null;

const ANALYSIS = { metrics: ['nobody-declares-this'], duration: '5m', interval: '15s' };
const UNKNOWN_METRIC = 'an analysis refers to a metric that spec.metrics does not declare';
const SOURCES = {
  configMapKeyRef: { name: 'a', key: 'b' },
  secretKeyRef: { name: 'a', key: 'b' },
  fieldRef: { fieldPath: 'metadata.name' },
  resourceFieldRef: { resource: 'limits.cpu' },
};
const canaryOf = ({ strategy }: Json): Json | null =>
  isJson(strategy) && isJson(strategy['canary']) ? strategy['canary'] : null;
const blueGreenOf = ({ strategy }: Json): Json | null =>
  isJson(strategy) && isJson(strategy['blueGreen']) ? strategy['blueGreen'] : null;
const withStrategy = (spec: Json, member: string, inner: Json): Json => ({
  strategy: { ...(spec['strategy'] as Json), [member]: inner },
});

/** By the place of the rule and the beginning of its message. */
const BREAKS: readonly (readonly [place: string, message: string, broken: Break])[] = [
  [
    'spec.components',
    'a component is named by a DNS label',
    (chance, value) => {
      const [[name, inner] = ['', {}], ...others] = Object.entries(value);
      const odd = chance.pick(['Chat', '1chat', 'chat-', 'chat_eu', 'a.b', 'a b', '', 'c'.repeat(21), 'ü', `${name}-`]);
      return { set: Object.fromEntries([...others, [odd, inner]]), at: [odd] };
    },
  ],
  [
    'spec.components',
    'two components have the same path',
    (chance, value) => {
      const [first, second] = Object.entries(value);
      if (first === undefined || second === undefined) return null;
      const path = chance.pick(['/same', '/same/way']);
      return {
        set: {
          [first[0]]: { ...(first[1] as Json), path },
          [second[0]]: { ...(second[1] as Json), path: chance.pick([path, `${path}/`]) },
        },
      };
    },
  ],
  [
    'spec.components',
    'a component is named like the preview Service',
    (_chance, value) => {
      const [first, second] = Object.entries(value);
      if (first === undefined || second === undefined || first[0].length > 12) return null;
      return { set: { ...value, [`${first[0]}-preview`]: second[1], [second[0]]: undefined } };
    },
  ],
  [
    'spec.components.*',
    'replicas and autoscaling exclude each other',
    (chance, value) =>
      value['autoscaling'] === undefined
        ? null
        : { set: { ...value, replicas: chance.integer(0, 1000) }, at: ['replicas'] },
  ],
  [
    'spec.components.*',
    'port and adminPort are the same',
    (chance, value) => {
      const port = chance.pick([
        { port: 9090, adminPort: undefined },
        { port: undefined, adminPort: 8080 },
        { port: 81, adminPort: 81 },
      ]);
      const { port: _port, adminPort: _adminPort, ...rest } = value;
      return {
        set: { ...rest, ...Object.fromEntries(Object.entries(port).filter(([, number]) => number !== undefined)) },
        at: ['adminPort'],
      };
    },
  ],
  [
    'spec.components.*.env[].valueFrom',
    'a variable has one source',
    (chance, value) => {
      const [present] = Object.keys(value);
      const others = Object.entries(SOURCES).filter(([name]) => name !== present);
      return { set: chance.happens(0.3) ? {} : { ...value, ...Object.fromEntries([chance.pick(others)]) } };
    },
  ],
  [
    'spec.components.*.env[]',
    'write either value or valueFrom',
    (_chance, value) => ({
      set: { ...value, value: 'x', valueFrom: value['valueFrom'] ?? { fieldRef: SOURCES.fieldRef } },
    }),
  ],
  [
    'spec.components.*.envFrom[]',
    'write exactly one of configMapRef, secretRef',
    (chance, { prefix }) => ({
      set: {
        ...(prefix === undefined ? {} : { prefix }),
        ...(chance.happens(0.5) ? {} : { configMapRef: { name: 'a' }, secretRef: { name: 'b' } }),
      },
    }),
  ],
  [
    'spec.components.*.autoscaling',
    'min is above max',
    (chance, value) => {
      const max = Number(value['max']);
      return max >= 1000 ? null : { set: { ...value, min: chance.integer(max + 1, 1000) }, at: ['min'] };
    },
  ],
  [
    'spec.components.*.autoscaling.metrics[]',
    'type Prometheus needs query and target',
    (chance, value) => {
      if (value['type'] !== 'Prometheus') return null;
      const { query, target, ...rest } = value;
      return { set: chance.pick<Json>([{ ...rest, query }, { ...rest, target }, rest, { ...value, targetPerPod: 5 }]) };
    },
  ],
  [
    'spec.components.*.autoscaling.metrics[]',
    'this type needs targetPerPod',
    (chance, value) => {
      if (value['type'] === 'Prometheus') return null;
      const { targetPerPod: _target, ...rest } = value;
      return { set: chance.pick<Json>([rest, { ...value, query: 'up' }, { ...value, target: '1' }]) };
    },
  ],
  [
    'spec.strategy',
    'canary is there exactly when type is Canary',
    (chance, value) =>
      value['type'] === 'Canary'
        ? {
            set: chance.happens(0.5) ? { ...value, canary: undefined } : { ...value, type: 'BlueGreen', blueGreen: {} },
            at: ['canary'],
          }
        : { set: { ...value, canary: { steps: [{ pause: {} }] } }, at: ['canary'] },
  ],
  [
    'spec.strategy',
    'blueGreen is there exactly when type is BlueGreen',
    (chance, value) =>
      value['type'] === 'BlueGreen'
        ? {
            set: chance.happens(0.5)
              ? { ...value, blueGreen: undefined }
              : { ...value, type: 'Canary', canary: { steps: [{ pause: {} }] } },
            at: ['blueGreen'],
          }
        : { set: { ...value, blueGreen: {} }, at: ['blueGreen'] },
  ],
  [
    'spec.strategy.canary.steps[]',
    'a step does one thing',
    (chance, value) => ({
      set: chance.happens(0.3)
        ? {}
        : { ...value, ...(value['pause'] === undefined ? { pause: {} } : { setWeight: 0 }) },
    }),
  ],
  ...[
    'spec.strategy.canary.steps[].analysis',
    'spec.strategy.blueGreen.prePromotion',
    'spec.strategy.blueGreen.postPromotion',
  ].map(
    (place) =>
      [
        place,
        'the interval is longer than the duration',
        (chance: Chance, value: Json): Broken => ({
          set: {
            ...value,
            ...chance.pick([
              { duration: '10s', interval: '11s' },
              { duration: '1s', interval: '1h' },
              { duration: '14999ms', interval: '15s' },
            ]),
          },
          at: ['interval'],
        }),
      ] as const,
  ),
  [
    'spec.strategy.blueGreen',
    'autoPromoteAfter has no effect while autoPromote is false',
    (_chance, value) => ({
      set: { ...value, autoPromote: false, autoPromoteAfter: value['autoPromoteAfter'] ?? '30s' },
      at: ['autoPromoteAfter'],
    }),
  ],
  [
    'spec.metrics[]',
    'a metric has one source',
    (_chance, value) =>
      value['preset'] === undefined
        ? { set: { ...value, preset: 'LatencyP95' } }
        : { set: { ...value, prometheus: { query: 'up' } } },
  ],
  [
    'spec.metrics[]',
    'nothing says which values are good',
    (_chance, value) => {
      const { max: _max, min: _min, comparedTo: _comparedTo, ...rest } = value;
      return { set: rest };
    },
  ],
  [
    'spec.metrics[]',
    'min is above max',
    (_chance, value) => ({ set: { ...value, min: '0.9', max: '0.899999' }, at: ['min'] }),
  ],
  ...(['max', 'min'] as const).map(
    (member) =>
      [
        'spec.metrics[]',
        `this preset is a share from 0 to 1: write ${member}`,
        (chance: Chance, value: Json): Broken => {
          const { prometheus: _prometheus, min: _min, max: _max, ...rest } = value;
          const preset = chance.pick(['ErrorRate', 'FallbackRate', 'StreamAbortRate', 'SessionResumeRate']);
          return { set: { ...rest, preset, [member]: chance.pick(['1.000001', '5', '-0.1', '100']) }, at: [member] };
        },
      ] as const,
  ),
  ['spec.slo', 'an empty slo has no effect', () => ({ set: {} })],
  [
    'spec',
    'a setFlag step moves a feature',
    (_chance, value) => {
      const canary = canaryOf(value);
      if (canary === null) return null;
      const steps = (canary['steps'] as unknown[]).slice(0, 49);
      const added = { setFlag: { feature: 'nobody-declares-this', rollout: 10 } };
      return {
        set: { ...value, ...withStrategy(value, 'canary', { ...canary, steps: [...steps, added] }) },
        at: ['strategy', 'canary', 'steps', steps.length, 'setFlag', 'feature'],
      };
    },
  ],
];

/** The four rules of spec with one message: told apart by the member that they point at. */
const UNDECLARED: Readonly<Record<string, Break>> = {
  '.strategy.canary.steps': (_chance, value) => {
    const canary = canaryOf(value);
    if (canary === null) return null;
    const steps = (canary['steps'] as unknown[]).slice(0, 49);
    return {
      set: { ...value, ...withStrategy(value, 'canary', { ...canary, steps: [...steps, { analysis: ANALYSIS }] }) },
      at: ['strategy', 'canary', 'steps', steps.length, 'analysis', 'metrics'],
    };
  },
  '.strategy.canary.analysis.metrics': (_chance, value) => {
    const canary = canaryOf(value);
    const analysis = { metrics: ANALYSIS.metrics };
    return canary === null
      ? null
      : {
          set: { ...value, ...withStrategy(value, 'canary', { ...canary, analysis }) },
          at: ['strategy', 'canary', 'analysis', 'metrics'],
        };
  },
  ...Object.fromEntries(
    ['prePromotion', 'postPromotion'].map((member) => [
      `.strategy.blueGreen.${member}.metrics`,
      (_chance: Chance, value: Json): Broken | null => {
        const blueGreen = blueGreenOf(value);
        return blueGreen === null
          ? null
          : {
              set: { ...value, ...withStrategy(value, 'blueGreen', { ...blueGreen, [member]: ANALYSIS }) },
              at: ['strategy', 'blueGreen', member, 'metrics'],
            };
      },
    ]),
  ),
};

/** Steps that fall: not an object, so it is changed by itself. */
const falling = (chance: Chance, steps: readonly unknown[]): unknown[] => [
  ...steps.slice(0, 48).filter((step) => !isJson(step) || step['setWeight'] === undefined),
  { setWeight: chance.integer(51, 100) },
  { setWeight: chance.integer(0, 50) },
];

const ROOT: readonly (readonly [message: string, draw: (chance: Chance, longest: number) => string])[] = [
  [
    'metadata.name becomes part of Service names',
    (chance) => chance.pick(['support.eu', '1support', '9', 'a.b.c', '0-0']),
  ],
  ["metadata.name and a component's name", (chance, longest) => 's'.repeat(chance.integer(52 - longest, 63))],
];

/** A site for each rule on a map, list or object. @throws Error naming a rule that nothing here knows how to break. */
export function memberSites(root: StructuralSchema): Site[] {
  return nodesOf(root).flatMap(({ place, node }) => {
    if (node.type !== 'object' && node.type !== 'array') return [];
    return (node['x-kubernetes-validations'] ?? []).map((rule): Site => {
      const head = { kind: 'Rule', place, detail: rule.message };
      if (place === '') return { ...head, make: (chance, _field, object) => rootMistake(rule.message, chance, object) };
      if (node.type === 'array')
        return {
          ...head,
          make: (chance, { path, value }, object) => ({
            object: withValue(object, path, falling(chance, value as unknown[])),
            path,
          }),
        };
      const broken = breakOf(place, rule);
      return {
        ...head,
        make: (chance, { path, value }, object) => {
          const made = isJson(value) ? broken(chance, value, object) : null;
          return made === null
            ? null
            : { object: withValue(object, path, made.set), path: [...path, ...(made.at ?? [])] };
        },
      };
    });
  });
}

function breakOf(
  place: string,
  { message, fieldPath, rule }: { message: string; fieldPath?: string; rule: string },
): Break {
  const found = message.startsWith(UNKNOWN_METRIC)
    ? UNDECLARED[fieldPath ?? '']
    : BREAKS.find(([where, words]) => where === place && message.startsWith(words))?.[2];
  if (found === undefined) throw new Error(`${place}: nobody knows how to break the rule ${rule}`);
  return found;
}

function rootMistake(message: string, chance: Chance, object: Json) {
  const draw = ROOT.find(([words]) => message.startsWith(words))?.[1];
  if (draw === undefined) throw new Error(`nobody knows how to break the rule of the root: ${message}`);
  const { components } = object['spec'] as { components: Json };
  const longest = Math.max(...Object.keys(components).map(({ length }) => length));
  return { object: withValue(object, ['metadata', 'name'], draw(chance, longest)), path: ['metadata', 'name'] };
}
