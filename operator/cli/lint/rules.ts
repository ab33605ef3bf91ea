// The rules across fields that the API server checks in CEL, checked here without a cluster. Place and words come from the schema itself; a test
// demands that every rule of the CRD has its twin below, or is one that the schema library checks on its own.
import {
  NAME_BUDGET,
  OPERATOR_VARIABLES,
  defaultPath,
  InvalidDurationError,
  parseDuration,
} from '@assistant-platform/api';
import { rulePlaces, type RulePlace } from '../schema.ts';
import type { Finding } from './finding.ts';

type Plain = Readonly<Record<string, unknown>>;
type Holds = (self: unknown) => boolean;

const plain = (value: unknown): Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Plain) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const has = (self: unknown, name: string): boolean => plain(self)[name] !== undefined;
const exactlyOne = (self: unknown, ...names: readonly string[]): boolean =>
  names.filter((name) => has(self, name)).length === 1;
/** What is no number is somebody else's finding. */
const number = (value: unknown): number =>
  typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
const ordered = (low: unknown, high: unknown): boolean => !(number(low) > number(high));

function milliseconds(value: unknown, standard: string): number {
  try {
    return parseDuration(typeof value === 'string' ? value : standard);
  } catch (error) {
    if (error instanceof InvalidDurationError) return NaN;
    throw error;
  }
}

const SHARES = ['ErrorRate', 'FallbackRate', 'StreamAbortRate', 'SessionResumeRate'];
const share =
  (limit: 'max' | 'min'): Holds =>
  (self) => {
    const { preset, [limit]: value } = plain(self);
    if (!SHARES.includes(String(preset)) || value === undefined) return true;
    return !(number(value) < 0 || number(value) > 1);
  };

const RESERVED: ReadonlySet<string> = new Set(OPERATOR_VARIABLES);
/** resource.Quantity of Kubernetes, as text; nothing below zero. */
const QUANTITY = /^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

/** Twins, by the beginning of the message that the schema gives. */
const TWINS: readonly (readonly [message: string, holds: Holds])[] = [
  ['metadata.name becomes part of Service names', (self) => /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(nameOf(self))],
  [
    "metadata.name and a component's name have more than",
    (self) =>
      Object.keys(plain(plain(plain(self)['spec'])['components'])).every(
        (component) => nameOf(self).length + component.length <= NAME_BUDGET,
      ),
  ],
  [
    'a component is named by a DNS label',
    (self) => Object.keys(plain(self)).every((name) => name.length <= 20 && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)),
  ],
  [
    'two components have the same path',
    (self) => {
      // Gateways take /a and /a/ for the same prefix.
      const paths = Object.entries(plain(self)).map(([name, component]) => {
        const { path = defaultPath(name) } = plain(component);
        return typeof path === 'string' && !path.endsWith('/') ? `${path}/` : path;
      });
      return new Set(paths).size === paths.length;
    },
  ],
  [
    'a component is named like the preview Service',
    (self) => Object.keys(plain(self)).every((name) => !has(self, `${name}-preview`)),
  ],
  ['write an image reference', (self) => typeof self !== 'string' || /^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$/.test(self)],
  ['replicas and autoscaling exclude each other', (self) => !(has(self, 'replicas') && has(self, 'autoscaling'))],
  [
    'port and adminPort are the same',
    (self) => {
      const { port = 8080, adminPort = 9090 } = plain(self);
      return port !== adminPort;
    },
  ],
  ['min is above max', (self) => ordered(plain(self)['min'] ?? NaN, plain(self)['max'] ?? NaN)],
  [
    'type Prometheus needs query and target',
    (self) =>
      plain(self)['type'] !== 'Prometheus' || (has(self, 'query') && has(self, 'target') && !has(self, 'targetPerPod')),
  ],
  [
    'this type needs targetPerPod',
    (self) =>
      plain(self)['type'] === 'Prometheus' ||
      (has(self, 'targetPerPod') && !has(self, 'query') && !has(self, 'target')),
  ],
  ['the operator sets this variable', (self) => !RESERVED.has(String(self))],
  [
    'write letters, digits, _, - and .',
    (self) => typeof self !== 'string' || /^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(self),
  ],
  ['write either value or valueFrom', (self) => !(has(self, 'value') && has(self, 'valueFrom'))],
  [
    'a variable has one source',
    (self) => exactlyOne(self, 'configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef'),
  ],
  ['write exactly one of configMapRef', (self) => exactlyOne(self, 'configMapRef', 'secretRef')],
  [
    'write a quantity',
    (self) => (typeof self === 'number' ? self >= 0 : typeof self !== 'string' || QUANTITY.test(self)),
  ],
  ['an empty slo', (self) => has(self, 'availability') || has(self, 'latencyP95')],
  ['canary is there exactly when', (self) => (plain(self)['type'] === 'Canary') === has(self, 'canary')],
  ['blueGreen is there exactly when', (self) => (plain(self)['type'] === 'BlueGreen') === has(self, 'blueGreen')],
  [
    'weights only rise',
    (self) => {
      const weights = list(self).flatMap((step) => (has(step, 'setWeight') ? [number(plain(step)['setWeight'])] : []));
      return weights.every((weight, index) => index === 0 || ordered(weights[index - 1], weight));
    },
  ],
  [
    'the interval is longer than the duration',
    (self) => {
      const { interval, duration } = plain(self);
      return !(milliseconds(interval, '15s') > milliseconds(duration, '2m'));
    },
  ],
  ['autoPromoteAfter has no effect', (self) => plain(self)['autoPromote'] !== false || !has(self, 'autoPromoteAfter')],
  ['a metric has one source', (self) => exactlyOne(self, 'preset', 'prometheus')],
  ['nothing says which values are good', (self) => has(self, 'max') || has(self, 'min') || has(self, 'comparedTo')],
  ['this preset is a share from 0 to 1: write max', share('max')],
  ['this preset is a share from 0 to 1: write min', share('min')],
];

function nameOf(self: unknown): string {
  const { name } = plain(plain(self)['metadata']);
  return typeof name === 'string' ? name : '';
}

/** Rules that references.ts checks, with the very entry that is wrong. */
const ELSEWHERE = ['an analysis refers to a metric', 'a setFlag step moves a feature'];

/** What this module does about a rule with this message: `null` when nothing here speaks of it. */
export function twinOf(message: string): Holds | 'Elsewhere' | null {
  if (ELSEWHERE.some((words) => message.startsWith(words))) return 'Elsewhere';
  return TWINS.find(([words]) => message.startsWith(words))?.[1] ?? null;
}

/** Every rule that does not hold. */
export function ruleFindings(object: Plain): Finding[] {
  return rulePlaces(object)
    .filter(({ message, value }) => {
      const holds = twinOf(message);
      return typeof holds === 'function' && !holds(value);
    })
    .map(finding);
}

function finding({ message, path }: RulePlace): Finding {
  const [what = '', ...remedy] = message.split(': ');
  return remedy.length === 0
    ? { code: 'Rule', path, message: 'it has another form', remedy: message }
    : { code: 'Rule', path, message: what, remedy: remedy.join(': ') };
}
