// What `plan` says: golden outputs, and the arithmetic of pods against the operator's own decision.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDefaults, type AssistantDeployment, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { targetOf } from '@assistant-platform/operator/rollout';
import { describe, expect, test } from 'vitest';
import { blueGreenObject, canaryObject, smallestObject } from '../../api/specimens/base.ts';
import { makePaint } from '../render/paint.ts';
import { renderPlan, type PlanView } from '../render/plan.ts';
import { describeSteps } from '../render/steps.ts';
import { ApiServer } from '../testing/api-server.ts';
import { effectsOf, type Course } from './effects.ts';
import { walkStages } from './stages.ts';

const canary = canaryObject();
const hashOf = (spec: AssistantDeploymentSpec): string => {
  const target = targetOf(withDefaults(spec), {});
  return target.kind === 'Known' ? target.hash : '';
};
const withImage = (object: AssistantDeployment, tag: string): AssistantDeploymentSpec => ({
  ...object.spec,
  release: tag,
  components: {
    ...object.spec.components,
    chat: { ...object.spec.components['chat'], image: `localhost/assistant/chat:${tag}` },
  },
});
const sides = (replicas: number) => ({ stable: { replicas, ready: replicas, sockets: 0 } });

/** As it stands in the cluster after its release was promoted. */
function stable(object: AssistantDeployment): AssistantDeployment {
  const revision = { hash: hashOf(object.spec), release: object.spec.release ?? '' };
  const components = Object.fromEntries(Object.keys(object.spec.components).map((name) => [name, sides(2)]));
  return { ...object, status: { stableRevision: revision, updateRevision: revision, components } };
}

function view(spec: AssistantDeploymentSpec, live: AssistantDeployment | null): PlanView {
  const effects = effectsOf(spec, live, {});
  const release = withDefaults(spec);
  const { course } = effects;
  const pods = Object.fromEntries(
    Object.entries(live?.status?.components ?? {}).map(([name, each]) => [name, each.stable?.replicas ?? 0]),
  );
  return {
    file: 'support.yaml',
    name: 'support',
    namespace: 'assistants',
    release: release.release,
    strategy: release.strategy.type,
    checkedBy: { kind: 'ApiServer' },
    refused: [],
    effects,
    stages:
      course.kind === 'NoNewRevision' || course.kind === 'BackToStable'
        ? null
        : walkStages({
            release,
            words: describeSteps({ ...canary, spec }),
            stable: course.kind === 'FirstRelease' ? null : pods,
            skipped: course.kind === 'Rollout' && course.skipsSteps,
          }),
    paused: release.paused,
    drainMs: release.drain.deadlineMs,
    autoscaled: [],
  };
}

const next = withImage(canary, '1.2.0');
const inMidRollout: AssistantDeployment = {
  ...canary,
  spec: next,
  status: { ...stable(canary).status, updateRevision: { hash: hashOf(next), release: '1.2.0' } },
};
const scaled: AssistantDeploymentSpec = {
  ...canary.spec,
  components: {
    ...canary.spec.components,
    chat: { ...canary.spec.components['chat'], image: 'localhost/assistant/chat:1.1.0', replicas: 10 },
  },
};
const earlier: AssistantDeployment = {
  ...stable(canary),
  status: {
    ...stable(canary).status,
    history: [
      {
        hash: hashOf(next),
        release: '1.2.0',
        outcome: 'Promoted',
        startedAt: '2026-01-01T00:00:00Z',
        finishedAt: '2026-01-01T00:10:00Z',
      },
    ],
  },
};

const cases: readonly (readonly [title: string, PlanView])[] = [
  ['first-release', view(canary.spec, null)],
  ['new-image', view(next, stable(canary))],
  ['blue-green', view(withImage(blueGreenObject(), '1.2.0'), stable(blueGreenObject()))],
  ['scaled', view({ ...scaled, release: '1.1.0-b' }, stable(canary))],
  [
    'new-image-and-scaled',
    view(
      {
        ...next,
        components: {
          ...next.components,
          chat: { ...next.components['chat'], image: 'localhost/assistant/chat:1.2.0', replicas: 10 },
        },
      },
      stable(canary),
    ),
  ],
  ['gives-way', view(withImage(canary, '1.3.0'), inMidRollout)],
  ['back-to-stable', view(canary.spec, inMidRollout)],
  ['within-the-window', view(next, earlier)],
  ['paused', view({ ...next, paused: true }, stable(canary))],
  ['unchanged', view(canary.spec, stable(canary))],
  [
    'edited-steps',
    view(
      { ...next, strategy: { ...next.strategy, canary: { steps: [{ setWeight: 25 }, { pause: {} }] } } },
      inMidRollout,
    ),
  ],
  [
    'component-removed',
    view({ ...next, components: { chat: next.components['chat'] ?? { image: '' } } }, stable(canary)),
  ],
  ['smallest', view(withImage(smallestObject(), '2'), stable(smallestObject()))],
  [
    'offline',
    {
      ...view(next, null),
      ...{ effects: null, checkedBy: { kind: 'Offline' as const, why: 'no cluster is configured' } },
      stages: walkStages({
        release: withDefaults(next),
        words: describeSteps({ ...canary, spec: next }),
        stable: { chat: 2, realtime: 2 },
        skipped: false,
      }),
    },
  ],
  ['refused', { ...view(next, null), refused: [{ field: 'spec.metrics[1].max', message: 'write a decimal' }] }],
];

describe('what plan says of', () => {
  test.each(cases)('%s', async (title, plan) => {
    await expect(`${renderPlan(plan, makePaint(false)).join('\n')}\n`).toMatchFileSnapshot(
      `../testdata/plan/${title}.txt`,
    );
  });
});

test('values of variables stay out of what is printed', () => {
  const env = (value: string): AssistantDeploymentSpec => ({
    ...canary.spec,
    components: { ...canary.spec.components, chat: { image: 'chat:1', env: [{ name: 'API_KEY', value }] } },
  });
  const live = stable({ ...canary, spec: env('hunter2') });
  expect(renderPlan(view(env('hunter3'), live), makePaint(false)).join('\n')).not.toContain('hunter');
});

describe('the course', () => {
  const kindOf = (spec: AssistantDeploymentSpec, live: AssistantDeployment): Course => effectsOf(spec, live, {}).course;

  test('names the revision only when the operator would name it so', () => {
    const live = stable(canary);
    expect(kindOf(next, live)).toMatchObject({ kind: 'Rollout', hash: hashOf(next) });
    const foreign = {
      ...live,
      status: {
        ...live.status,
        updateRevision: { hash: 'other', release: '' },
        stableRevision: { hash: 'other', release: '' },
      },
    };
    expect(kindOf(next, foreign)).toMatchObject({ kind: 'Rollout', hash: null });
    expect(effectsOf(next, live, null).course).toMatchObject({ kind: 'Rollout', hash: null });
  });

  test.each([
    ['replicas', scaled],
    ['the label', { ...canary.spec, release: 'x' }],
    ['the strategy', { ...canary.spec, strategy: blueGreenObject().spec.strategy }],
    [
      'a path',
      {
        ...canary.spec,
        components: {
          ...canary.spec.components,
          chat: { ...canary.spec.components['chat'], image: 'localhost/assistant/chat:1.1.0', path: '/v1' },
        },
      },
    ],
    ['metrics', { ...canary.spec, metrics: (canary.spec.metrics ?? []).map((metric) => ({ ...metric, max: '0.5' })) }],
  ])('%s makes no new revision', (_, spec) => {
    expect(kindOf(spec, stable(canary)).kind).toBe('NoNewRevision');
    // The operator agrees.
    expect(hashOf(spec)).toBe(hashOf(canary.spec));
  });
});

test('the dry run keeps what is noted on the object: the notes are the operator’s own, and an admission policy refuses their loss', async () => {
  const notes = { 'assistant-platform.io/order': '{}' };
  await using api = await ApiServer.start({ ...canary, metadata: { ...canary.metadata, annotations: notes } });
  const path = join(api.folder, 'support.json');
  await writeFile(path, JSON.stringify({ ...canary, metadata: { ...canary.metadata, annotations: { team: 'a' } } }));
  expect((await api.command('plan', '-f', path)).all).toContain('the API server would take it');
  expect(api.replacement).toMatchObject({ metadata: { annotations: { ...notes, team: 'a' } } });
});

test.each([
  [
    'admission webhook "policy.example.com" denied the request: no team',
    1,
    'refused admission webhook "policy.example.com"',
  ],
  [
    'assistantdeployments.assistant-platform.io "support" is forbidden: User "me" cannot update resource "assistantdeployments"',
    0,
    'the cluster does not allow a dry run',
  ],
])('a 403, %s', async (message, code, words) => {
  await using api = await ApiServer.start(canary);
  api.refusal = { code: 403, message };
  const path = join(api.folder, 'support.json');
  await writeFile(path, JSON.stringify(canary));
  const said = await api.command('plan', '-f', path);
  expect(said.all).toContain(words);
  expect(said.code).toBe(code);
});

describe('what the operator takes for', () => {
  const chat = (change: object): AssistantDeploymentSpec => ({
    ...canary.spec,
    components: { ...canary.spec.components, chat: { image: 'chat:1', replicas: 2, ...change } },
  });
  const [a, b] = [
    { name: 'HOST', value: 'a' },
    { name: 'URL', value: 'http://$(HOST)' },
  ];

  test.each([[{ env: [] }], [{ envFrom: [] }], [{ resources: {} }], [{ template: {} }]])(
    'the same, %j, is no new revision',
    (change) => {
      const effects = effectsOf(chat(change), stable({ ...canary, spec: chat({}) }), {});
      expect(hashOf(chat(change))).toBe(hashOf(chat({})));
      expect(effects.course).toEqual({ kind: 'NoNewRevision', hash: hashOf(chat({})) });
      expect(effects.changes).toMatchObject([{ effect: 'Settings' }]);
    },
  );

  test.each([
    ['variables', { env: [a, b] }, { env: [b, a] }],
    [
      'containers',
      { template: { spec: { containers: [{ name: 'x' }, { name: 'y' }] } } },
      { template: { spec: { containers: [{ name: 'y' }, { name: 'x' }] } } },
    ],
  ])('another one, %s in another order, is a new revision', (_, before, after) => {
    const live = stable({ ...canary, spec: chat(before) });
    expect(effectsOf(chat(after), live, {}).course).toMatchObject({ kind: 'Rollout', hash: hashOf(chat(after)) });
    expect(renderPlan(view(chat(after), live), makePaint(false)).join('\n')).toContain('is in another order');
  });
});

test('every change that is called a new revision gives another hash', () => {
  const chat = { image: 'localhost/assistant/chat:1.1.0', replicas: 2 };
  const changes = [
    { image: 'x' },
    { port: 8081 },
    { adminPort: 9191 },
    { env: [{ name: 'A', value: '1' }] },
    { resources: { requests: { cpu: 1 } } },
    { template: { spec: {} } },
  ];
  for (const change of changes) {
    const spec = { ...canary.spec, components: { ...canary.spec.components, chat: { ...chat, ...change } } };
    expect(effectsOf(spec, stable(canary), {}).course.kind, JSON.stringify(change)).toBe('Rollout');
    expect(hashOf(spec), JSON.stringify(change)).not.toBe(hashOf(canary.spec));
  }
});
