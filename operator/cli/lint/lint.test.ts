import { readFileSync } from 'node:fs';
import { OPERATOR_VARIABLES } from '@assistant-platform/api';
import { describe, expect, test } from 'vitest';
import { blueGreenObject, canaryObject, changed, smallestObject } from '../../api/specimens/base.ts';
import { invalidSpecimens } from '../../api/specimens/invalid.ts';
import { validSpecimens } from '../../api/specimens/valid.ts';
import { allRules, pathText } from '../schema.ts';
import { FINDINGS, severityOf, type FindingCode } from './finding.ts';
import { lintObject } from './lint.ts';
import { twinOf } from './rules.ts';

const errorsOf = (object: Readonly<Record<string, unknown>>) =>
  lintObject(object).filter((finding) => severityOf(finding) === 'error');

describe('what the API server refuses is found without it', () => {
  test.each(invalidSpecimens)('$title', ({ object, field }) => {
    const errors = errorsOf(object);
    expect(errors, 'nothing was found').not.toHaveLength(0);
    expect(errors.map(({ path }) => pathText(path)).filter((path) => path.includes(field))).not.toHaveLength(0);
    for (const { message, remedy } of errors) {
      expect(message).not.toBe('');
      expect(remedy).not.toBe('');
      // The words of the schema library are not for people.
      expect(`${message} ${remedy}`).not.toMatch(/undefined|Invalid input|expected|received/);
    }
  });
});

test.each(OPERATOR_VARIABLES)('%s is the operator’s to set', (name) => {
  const found = errorsOf(changed(canaryObject(), ['spec.components.chat.env', [{ name, value: '1' }]]));
  expect(found.map(({ message, remedy }) => `${message} ${remedy}`).join()).toContain(
    'the operator sets this variable',
  );
});

describe('what the API server takes has no error', () => {
  test.each(validSpecimens)('$title', ({ object }) => {
    expect(errorsOf(object)).toEqual([]);
  });
});

test('every rule of the CRD has a twin here, or is one of text, duration or decimal that the schema checks', () => {
  const scalar = /^(self\.matches|size\(self\) > 0 && self\.matches|!\(size\(self\))/;
  const steps = /^a step does one thing/;
  const alone = allRules().filter(
    ({ rule, message }) => twinOf(message) === null && !scalar.test(rule) && !steps.test(message),
  );
  expect(alone).toEqual([]);
  expect(allRules().length).toBeGreaterThan(60);
});

const canary = canaryObject();
const blueGreen = blueGreenObject();
const steps = 'spec.strategy.canary.steps';
const background = 'spec.strategy.canary.analysis';
const second = { replicas: 2, image: 'chat:1', resources: { requests: { cpu: 1 } } };
const calm = changed(
  canary,
  ['spec.components.chat', second],
  ['spec.components.realtime', { ...second, image: 'realtime:1' }],
  // These come with flags and chaos.
  ['spec.strategy.canary.steps.3', { pause: { duration: '1m' } }],
  ['spec.strategy.canary.steps.4', { pause: { duration: '1m' } }],
) as unknown as typeof canary;

/** Advice, each by a change of an object that has none. */
const advised: readonly (readonly [FindingCode, string, Readonly<Record<string, unknown>>, typeof canary])[] = [
  ['NoGate', steps, { [steps]: [{ setWeight: 10 }, { setWeight: 60 }], [background]: undefined }, calm],
  ['NoGate', steps, { [steps]: [{ setWeight: 100 }, { pause: {} }], [background]: undefined }, calm],
  ['NoGate', steps, { [steps]: [{ pause: {} }, { setWeight: 50 }], [background]: undefined }, calm],
  [
    'WeightJump',
    `${steps}[2]`,
    { [steps]: [{ setWeight: 10 }, { pause: {} }, { setWeight: 61 }], [background]: undefined },
    calm,
  ],
  ['WeightJump', steps, { [steps]: [{ setWeight: 10 }, { pause: {} }], [background]: undefined }, calm],
  ['BlueGreenUnchecked', 'spec.strategy.blueGreen', { 'spec.strategy.blueGreen': {} }, blueGreen],
  [
    'NoDataPasses',
    'spec.metrics[0].onNoData',
    { 'spec.metrics.0.onNoData': 'Pass', [steps]: [{ setWeight: 10 }] },
    calm,
  ],
  [
    'AnalysisCannotFail',
    `${steps}[1].analysis`,
    { [steps]: [{ setWeight: 10 }, { analysis: { metrics: ['ttft'], duration: '20s', interval: '15s' } }] },
    calm,
  ],
  [
    'QueryIgnoresRevision',
    'spec.metrics[1].prometheus.query',
    { 'spec.metrics.1': { name: 'ttft', prometheus: { query: 'up{app="{{name}}"}' }, max: '1' } },
    calm,
  ],
  [
    'UnknownPlaceholder',
    'spec.metrics[1].prometheus.query',
    { 'spec.metrics.1': { name: 'ttft', prometheus: { query: 'up{a="{{ hash }}",b="{{revision}}"}' }, max: '1' } },
    calm,
  ],
  ['StepNotCarriedOut', `${steps}[3]`, { [`${steps}.3`]: { chaos: { experiment: 'kill' } } }, calm],
  ['UnusedMetric', 'spec.metrics[2]', { 'spec.metrics.2': { name: 'extra', preset: 'ErrorRate', max: '0.1' } }, calm],
  ['UnusedFlag', 'spec.flags[0]', { 'spec.flags.0.follow': 'Steps', [steps]: [{ setWeight: 10 }] }, calm],
  ['SingleReplica', 'spec.components.chat', { 'spec.components.chat.replicas': undefined }, calm],
  ['LatestTag', 'spec.components.chat.image', { 'spec.components.chat.image': 'registry:5000/chat' }, calm],
  ['LatestTag', 'spec.components.chat.image', { 'spec.components.chat.image': 'chat:latest' }, calm],
  ['ShortDrain', 'spec.strategy.drain.deadline', { 'spec.strategy.drain.deadline': '10s' }, calm],
  ['ShortDrain', 'spec.strategy.drain.deadline', { 'spec.strategy.drain.deadline': '1m' }, calm],
  ['ShortProgressDeadline', 'spec.strategy.progressDeadline', { 'spec.strategy.progressDeadline': '30s' }, calm],
  [
    'SecretInEnv',
    'spec.components.chat.env[0]',
    { 'spec.components.chat.env': [{ name: 'OPENAI_API_KEY', value: 'sk-1' }] },
    calm,
  ],
  ['NoRequests', 'spec.components.chat.resources', { 'spec.components.chat.resources': undefined }, calm],
  ['NoRollbackWindow', 'spec.strategy.rollbackWindow', { 'spec.strategy.rollbackWindow': undefined }, calm],
  ['NoReleaseLabel', 'spec.release', { 'spec.release': undefined }, calm],
];

describe('advice', () => {
  test('there is none about a careful object', () => {
    expect(lintObject(calm as unknown as Record<string, unknown>)).toEqual([]);
  });

  test.each(advised)('%s at %s', (code, path, changes, original) => {
    const before = lintObject(original as unknown as Record<string, unknown>).map((each) => each.code);
    const found = lintObject(changed(original, ...Object.entries(changes)));
    expect(found.map((each) => [each.code, pathText(each.path)])).toContainEqual([code, path]);
    // The change brings it about.
    expect(before).not.toContain(code);
  });

  test.each([
    ['a pause is a gate', { [steps]: [{ setWeight: 50 }, { pause: {} }], [background]: undefined }],
    ['background analysis is a gate', { [steps]: [{ setWeight: 10 }] }],
    [
      'an analysis before a jump',
      {
        [steps]: [{ setWeight: 10 }, { analysis: { metrics: ['error-rate', 'ttft'] } }],
        [background]: undefined,
      },
    ],
    ['a digest', { 'spec.components.chat.image': `chat@sha256:${'0'.repeat(64)}` }],
    ['a tag behind a registry with port', { 'spec.components.chat.image': 'registry:5000/team/chat:1.2' }],
    [
      'a secret from a Secret',
      {
        'spec.components.chat.env': [{ name: 'API_KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } }],
      },
    ],
    [
      'a comparison needs no number of looks',
      {
        [steps]: [
          { setWeight: 10 },
          { analysis: { metrics: ['error-rate'], duration: '15s', interval: '15s' } },
          { analysis: { metrics: ['ttft'] } },
        ],
      },
    ],
  ])('none where there is no reason: %s', (_, changes) => {
    const codes = lintObject(changed(calm, ...Object.entries(changes))).map(({ code }) => code);
    expect(codes.filter((code) => code !== 'UnusedMetric')).toEqual([]);
  });
});

test('an undefined name is found where it stands, with the one that was meant', () => {
  const [found] = lintObject(changed(calm, ['spec.strategy.canary.steps.2.analysis.metrics.1', 'ttfb']));
  expect(found).toMatchObject({ code: 'UndefinedMetric', remedy: 'did you mean ttft?' });
  expect(pathText(found!.path)).toBe(`${steps}[2].analysis.metrics[1]`);
});

test('an unknown field is found with the one that was meant', () => {
  const [found] = lintObject(changed(smallestObject(), ['spec.components.chat.replica', 2]));
  expect(found).toMatchObject({ code: 'UnknownField', remedy: 'did you mean replicas?' });
});

test.each([[null], ['text'], [[]], [{ components: 3, strategy: 'Canary', metrics: {}, gateway: [] }]])(
  'a spec of any shape is an error, not a crash: %j',
  (spec) => {
    expect(errorsOf({ ...smallestObject(), spec })).not.toHaveLength(0);
  },
);

test('the README documents every code with its severity and meaning', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Za-z]+)` +\| (error|warning|info) +\| (.+?) +\|$/gm)].map(
    ([, ...cells]) => cells,
  );
  expect(rows).toEqual(Object.entries(FINDINGS).map(([code, { severity, means }]) => [code, severity, means]));
  const proved = new Set(advised.map(([code]) => code));
  const advice = Object.entries(FINDINGS).filter(([, { severity }]) => severity !== 'error');
  expect(advice.map(([code]) => code).filter((code) => !proved.has(code as FindingCode))).toEqual([]);
});
