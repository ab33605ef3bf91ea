// Invalid AssistantDeployments, one mistake each, with the field that the refusal must name and the remedy it must offer.
import type { AssistantDeployment } from '../assistant-deployment.ts';
import { blueGreenObject, canaryObject, changed, type Loose } from './base.ts';

/** One mistake. */
export interface InvalidSpecimen {
  readonly title: string;
  readonly object: Loose;
  /** Path of the field in the message of the API server. */
  readonly field: string;
  /** What the message must say about the way out. */
  readonly remedy: RegExp;
}

const canary = canaryObject();
const blueGreen = blueGreenObject();

const mistake = (
  title: string,
  field: string,
  remedy: RegExp,
  changes: Readonly<Record<string, unknown>>,
  original: AssistantDeployment = canary,
): InvalidSpecimen => ({ title, field, remedy, object: changed(original, ...Object.entries(changes)) });

const metadata: readonly InvalidSpecimen[] = [
  mistake('a name with a dot', '', /without dots/, { 'metadata.name': 'support.eu' }),
  mistake('a name that begins with a digit', '', /beginning with a letter/, { 'metadata.name': '1support' }),
  mistake('a name too long for Services', '', /write shorter ones/, { 'metadata.name': 's'.repeat(50) }),
  mistake('no spec', 'spec', /Required value/, { spec: undefined }),
];

const components: readonly InvalidSpecimen[] = [
  mistake('no components member', 'spec.components', /Required value/, { 'spec.components': undefined }),
  mistake('no component', 'spec.components', /at least 1 properties/, { 'spec.components': {} }),
  mistake('five components', 'spec.components', /at most 4|must have at most 4 items/, {
    'spec.components.a': { image: 'a' },
    'spec.components.b': { image: 'b' },
    'spec.components.c': { image: 'c' },
  }),
  mistake('a component name in upper case', 'spec.components', /write lower-case letters/, {
    'spec.components': { Chat: { image: 'a' } },
  }),
  mistake('a component name too long', 'spec.components', /at most 20 characters/, {
    'spec.components': { ['c'.repeat(21)]: { image: 'a' } },
  }),
  mistake('no image', 'spec.components.chat.image', /Required value/, { 'spec.components.chat.image': undefined }),
  mistake('an empty image', 'spec.components.chat.image', /at least 1 chars|write an image/, {
    'spec.components.chat.image': '',
  }),
  mistake('an image with a space', 'spec.components.chat.image', /write an image reference without spaces/, {
    'spec.components.chat.image': 'chat 1.1.0',
  }),
  mistake('an image of digits', 'spec.components.chat.image', /must be of type string/, {
    'spec.components.chat.image': 11,
  }),
  mistake('replicas below zero', 'spec.components.chat.replicas', /greater than or equal to 0/, {
    'spec.components.chat.replicas': -1,
  }),
  mistake('too many replicas', 'spec.components.chat.replicas', /less than or equal to 1000/, {
    'spec.components.chat.replicas': 1001,
  }),
  mistake('replicas with a fraction', 'spec.components.chat.replicas', /type integer/, {
    'spec.components.chat.replicas': 1.5,
  }),
  mistake('a port out of range', 'spec.components.chat.port', /less than or equal to 65535/, {
    'spec.components.chat.port': 70_000,
  }),
  mistake('port zero', 'spec.components.chat.port', /greater than or equal to 1/, { 'spec.components.chat.port': 0 }),
  mistake('one port for traffic and admin', 'spec.components.chat.adminPort', /write another adminPort/, {
    'spec.components.chat.port': 9090,
  }),
  mistake('a path without slash', 'spec.components.chat.path', /begins with "\/"/, {
    'spec.components.chat.path': 'chat',
  }),
  mistake('a path with a space', 'spec.components.chat.path', /has no spaces/, { 'spec.components.chat.path': '/a b' }),
  mistake('two components on one path', 'spec.components', /write another path/, {
    'spec.components.chat.path': '/ws',
  }),
  mistake('two components on one path by default', 'spec.components', /write another path/, {
    'spec.components.realtime.path': '/',
  }),
  mistake('a variable that the operator sets', 'spec.components.chat.env[0].name', /the operator sets this variable/, {
    'spec.components.chat.env': [{ name: 'ASSISTANT_REVISION', value: 'x' }],
  }),
  mistake('the port as a variable', 'spec.components.chat.env[0].name', /ports are set by `port`/, {
    'spec.components.chat.env': [{ name: 'PORT', value: '8081' }],
  }),
  mistake('a variable without name', 'spec.components.chat.env[0].name', /Required value/, {
    'spec.components.chat.env': [{ value: 'x' }],
  }),
  mistake('a variable name with a space', 'spec.components.chat.env[0].name', /such as LOG_LEVEL/, {
    'spec.components.chat.env': [{ name: 'LOG LEVEL', value: 'x' }],
  }),
  mistake('a variable twice', 'spec.components.chat.env[1]', /Duplicate value/, {
    'spec.components.chat.env': [
      { name: 'A', value: 'x' },
      { name: 'A', value: 'y' },
    ],
  }),
  mistake('value and valueFrom', 'spec.components.chat.env[0]', /either value or valueFrom/, {
    'spec.components.chat.env': [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
  }),
  mistake('a variable from nowhere', 'spec.components.chat.env[0].valueFrom', /exactly one of configMapKeyRef/, {
    'spec.components.chat.env': [{ name: 'A', valueFrom: {} }],
  }),
  mistake(
    'a set of variables from nowhere',
    'spec.components.chat.envFrom[0]',
    /exactly one of configMapRef, secretRef/,
    {
      'spec.components.chat.envFrom': [{}],
    },
  ),
  mistake(
    'a resource that is no quantity',
    'spec.components.chat.resources.limits.memory',
    /write a quantity such as/,
    {
      'spec.components.chat.resources': { limits: { memory: 'much' } },
    },
  ),
  mistake('an unknown field', 'spec.components.chat.replica', /unknown field/, { 'spec.components.chat.replica': 2 }),
];

const scaled = { min: 1, max: 4, metrics: [{ type: 'Connections', targetPerPod: 500 }] };
const autoscaling: readonly InvalidSpecimen[] = [
  mistake('replicas beside autoscaling', 'spec.components.chat.replicas', /remove replicas/, {
    'spec.components.chat.autoscaling': scaled,
  }),
  ...(
    [
      ['min above max', '.min', /at most max/, { ...scaled, min: 5 }],
      ['autoscaling without max', '.max', /Required value/, { metrics: scaled.metrics }],
      ['autoscaling by nothing', '.metrics', /at least 1 items/, { ...scaled, metrics: [] }],
      [
        'an unknown autoscaling metric',
        '.metrics[0].type',
        /supported values.*Connections/,
        { ...scaled, metrics: [{ type: 'Memory', targetPerPod: 1 }] },
      ],
      [
        'Connections without target',
        '.metrics[0]',
        /needs targetPerPod/,
        { ...scaled, metrics: [{ type: 'Connections' }] },
      ],
      [
        'Prometheus without query',
        '.metrics[0]',
        /needs query and target/,
        { ...scaled, metrics: [{ type: 'Prometheus', target: '1' }] },
      ],
      [
        'a drain time-out in days',
        '.scaleIn.drainTimeout',
        /write a duration such as/,
        { ...scaled, scaleIn: { drainTimeout: '1d' } },
      ],
    ] as const
  ).map(([title, field, remedy, value]) =>
    mistake(title, `spec.components.chat.autoscaling${field}`, remedy, {
      'spec.components.chat.replicas': undefined,
      'spec.components.chat.autoscaling': value,
    }),
  ),
];

const gateway: readonly InvalidSpecimen[] = [
  mistake('no gateway', 'spec.gateway', /Required value/, { 'spec.gateway': undefined }),
  mistake('no parentRef', 'spec.gateway.parentRef', /Required value/, { 'spec.gateway': {} }),
  mistake('a Gateway name in upper case', 'spec.gateway.parentRef.name', /write lower-case letters/, {
    'spec.gateway.parentRef.name': 'Public',
  }),
  mistake('a host name with scheme', 'spec.gateway.hostnames[0]', /without scheme, port or path/, {
    'spec.gateway.hostnames': ['https://support.example.com'],
  }),
  mistake('a host name twice', 'spec.gateway.hostnames[1]', /Duplicate value/, {
    'spec.gateway.hostnames': ['a.example.com', 'a.example.com'],
  }),
];

const steps = (...list: unknown[]): Readonly<Record<string, unknown>> => ({ 'spec.strategy.canary.steps': list });
const step0 = 'spec.strategy.canary.steps[0]';
const strategy: readonly InvalidSpecimen[] = [
  mistake('no strategy', 'spec.strategy', /Required value/, { 'spec.strategy': undefined }),
  mistake('no strategy type', 'spec.strategy.type', /Required value/, { 'spec.strategy.type': undefined }),
  mistake('an unknown strategy', 'spec.strategy.type', /supported values: "Canary", "BlueGreen"/, {
    'spec.strategy.type': 'Rolling',
  }),
  mistake('Canary without canary', 'spec.strategy.canary', /write canary.steps/, { 'spec.strategy.canary': undefined }),
  mistake('Canary with blueGreen', 'spec.strategy.blueGreen', /remove blueGreen/, { 'spec.strategy.blueGreen': {} }),
  mistake(
    'BlueGreen without blueGreen',
    'spec.strategy.blueGreen',
    /write blueGreen: \{\}/,
    { 'spec.strategy.blueGreen': undefined },
    blueGreen,
  ),
  mistake(
    'BlueGreen with canary',
    'spec.strategy.canary',
    /remove canary/,
    { 'spec.strategy.canary': { steps: [{ setWeight: 5 }] } },
    blueGreen,
  ),
  mistake('no steps', 'spec.strategy.canary.steps', /Required value/, { 'spec.strategy.canary.steps': undefined }),
  mistake('an empty list of steps', 'spec.strategy.canary.steps', /at least 1 items/, steps()),
  mistake(
    '51 steps',
    'spec.strategy.canary.steps',
    /at most 50 items/,
    steps(...Array.from({ length: 51 }, () => ({ setWeight: 5 }))),
  ),
  mistake('a weight above 100', `${step0}.setWeight`, /less than or equal to 100/, steps({ setWeight: 101 })),
  mistake('a weight below 0', `${step0}.setWeight`, /greater than or equal to 0/, steps({ setWeight: -1 })),
  mistake('a weight as text', `${step0}.setWeight`, /must be of type integer/, steps({ setWeight: '10%' })),
  mistake(
    'weights that fall',
    'spec.strategy.canary.steps',
    /weights only rise/,
    steps({ setWeight: 50 }, { pause: {} }, { setWeight: 20 }),
  ),
  mistake('an empty step', step0, /exactly one of setWeight/, steps({})),
  mistake('a step with two members', step0, /make a step of its own/, steps({ setWeight: 10, pause: {} })),
  mistake('an unknown kind of step', `${step0}.setWeigth`, /unknown field/, steps({ setWeigth: 10 })),
  mistake(
    'a pause in words',
    `${step0}.pause.duration`,
    /such as 500ms, 30s, 10m/,
    steps({ pause: { duration: 'two minutes' } }),
  ),
  mistake(
    'a pause as a number',
    `${step0}.pause.duration`,
    /must be of type string/,
    steps({ pause: { duration: 120 } }),
  ),
  mistake('a pause of nothing', `${step0}.pause.duration`, /from 1s to 168h/, steps({ pause: { duration: '0s' } })),
  mistake('a pause of a month', `${step0}.pause.duration`, /from 1s to 168h/, steps({ pause: { duration: '720h' } })),
  mistake('an empty duration', `${step0}.pause.duration`, /write a duration/, steps({ pause: { duration: '' } })),
  mistake(
    'an analysis of an unknown metric',
    'spec.strategy.canary.steps',
    /spec.metrics does not declare: add it there/,
    steps({ analysis: { metrics: ['latency'] } }),
  ),
  mistake(
    'an analysis of nothing',
    `${step0}.analysis.metrics`,
    /at least 1 items/,
    steps({ analysis: { metrics: [] } }),
  ),
  mistake(
    'an analysis of one metric twice',
    `${step0}.analysis.metrics[1]`,
    /Duplicate value/,
    steps({ analysis: { metrics: ['ttft', 'ttft'] } }),
  ),
  mistake(
    'an interval longer than the analysis',
    `${step0}.analysis.interval`,
    /fits into it/,
    steps({ analysis: { metrics: ['ttft'], duration: '10s', interval: '1m' } }),
  ),
  mistake(
    'a feature that is not declared',
    'spec.strategy.canary.steps',
    /spec.flags does not declare/,
    steps({ setFlag: { feature: 'old-memory', rollout: 5 } }),
  ),
  mistake(
    'a flag above 100',
    `${step0}.setFlag.rollout`,
    /less than or equal to 100/,
    steps({ setFlag: { feature: 'new-memory', rollout: 200 } }),
  ),
  mistake('chaos without experiment', `${step0}.chaos.experiment`, /Required value/, steps({ chaos: {} })),
  mistake(
    'background analysis of an unknown metric',
    'spec.strategy.canary.analysis.metrics',
    /spec.metrics does not declare/,
    {
      'spec.strategy.canary.analysis.metrics': ['latency'],
    },
  ),
  mistake('stickiness by cookie', 'spec.strategy.canary.stickiness.by', /supported values: "Bucket", "None"/, {
    'spec.strategy.canary.stickiness.by': 'Cookie',
  }),
  mistake(
    'a preview time without auto-promotion',
    'spec.strategy.blueGreen.autoPromoteAfter',
    /remove it, or write autoPromote: true/,
    { 'spec.strategy.blueGreen.autoPromote': false },
    blueGreen,
  ),
  mistake(
    'pre-promotion by an unknown metric',
    'spec.strategy.blueGreen.prePromotion.metrics',
    /spec.metrics does not declare/,
    { 'spec.strategy.blueGreen.prePromotion.metrics': ['latency'] },
    blueGreen,
  ),
  mistake('a drain deadline below zero', 'spec.strategy.drain.deadline', /write a duration/, {
    'spec.strategy.drain.deadline': '-5m',
  }),
  mistake('a drain that closes nothing', 'spec.strategy.drain.closePerSecond', /greater than or equal to 1/, {
    'spec.strategy.drain.closePerSecond': 0,
  }),
  mistake('no progress deadline to speak of', 'spec.strategy.progressDeadline', /from 1s to 24h/, {
    'spec.strategy.progressDeadline': '500ms',
  }),
  mistake('a rollback window below zero', 'spec.strategy.rollbackWindow.revisions', /greater than or equal to 0/, {
    'spec.strategy.rollbackWindow.revisions': -1,
  }),
];

const metrics: readonly InvalidSpecimen[] = [
  mistake('a metric in upper case', 'spec.metrics[1].name', /write lower-case letters/, {
    'spec.metrics.1.name': 'TTFT',
    ...steps({ setWeight: 5 }),
  }),
  mistake('a metric twice', 'spec.metrics[1]', /Duplicate value/, {
    'spec.metrics.1.name': 'error-rate',
    ...steps({ setWeight: 5 }),
  }),
  mistake('a metric without source', 'spec.metrics[1]', /either preset or prometheus.query/, {
    'spec.metrics.1.preset': undefined,
  }),
  mistake('a metric with two sources', 'spec.metrics[1]', /either preset or prometheus.query/, {
    'spec.metrics.1.prometheus': { query: 'up' },
  }),
  mistake('a metric without limit', 'spec.metrics[1]', /write max, min or comparedTo/, {
    'spec.metrics.1.max': undefined,
  }),
  mistake('an unknown preset', 'spec.metrics[1].preset', /supported values: "ErrorRate"/, {
    'spec.metrics.1.preset': 'Errors',
  }),
  mistake('a limit as a number', 'spec.metrics[1].max', /must be of type string/, { 'spec.metrics.1.max': 0.01 }),
  mistake('a limit in percent', 'spec.metrics[1].max', /without percent sign/, { 'spec.metrics.1.max': '1%' }),
  mistake('a share above 1', 'spec.metrics[0].max', /write max: "0.01" for 1 %/, { 'spec.metrics.0.max': '5' }),
  mistake('min above max', 'spec.metrics[1].min', /at most max/, { 'spec.metrics.1.min': '3' }),
  mistake('a ratio of zero', 'spec.metrics[0].comparedTo.stable.maxRatio', /above 0, such as "1.2"/, {
    'spec.metrics.0.comparedTo.stable.maxRatio': '0',
  }),
  mistake('a confidence of 1', 'spec.metrics[0].comparedTo.stable.confidence', /0.5 to below 1/, {
    'spec.metrics.0.comparedTo.stable.confidence': '1',
  }),
  mistake('an unknown answer to no data', 'spec.metrics[0].onNoData', /supported values: "Wait", "Pass", "Fail"/, {
    'spec.metrics.0.onNoData': 'Ignore',
  }),
  mistake('samples below zero', 'spec.metrics[0].minSamples', /greater than or equal to 0/, {
    'spec.metrics.0.minSamples': -1,
  }),
  mistake('an empty query', 'spec.metrics[1].prometheus.query', /at least 1 chars/, {
    'spec.metrics.1.preset': undefined,
    'spec.metrics.1.prometheus': { query: '' },
  }),
];

const rest: readonly InvalidSpecimen[] = [
  mistake('a feature with a space', 'spec.flags[0].feature', /letters, digits/, {
    'spec.flags.0.feature': 'new memory',
    ...steps({ setWeight: 5 }),
  }),
  mistake('a flag without environment', 'spec.flags[0].environment', /Required value/, {
    'spec.flags.0.environment': undefined,
  }),
  mistake('a flag that follows nothing known', 'spec.flags[0].follow', /supported values: "Weight"/, {
    'spec.flags.0.follow': 'Traffic',
  }),
  mistake('an unknown kill switch', 'spec.flags[0].killSwitch', /supported values: "Abort"/, {
    'spec.flags.0.killSwitch': 'Stop',
  }),
  mistake('an availability in percent', 'spec.slo.availability', /such as "0.999" for 99.9 %/, {
    'spec.slo.availability': '99.9',
  }),
  mistake('an empty slo', 'spec.slo', /or remove slo/, { 'spec.slo': {} }),
  mistake('paused as a word', 'spec.paused', /must be of type boolean/, { 'spec.paused': 'yes' }),
  mistake('a history limit below zero', 'spec.revisionHistoryLimit', /greater than or equal to 0/, {
    'spec.revisionHistoryLimit': -1,
  }),
  mistake('a release label too long', 'spec.release', /may not be more than 63|Too long/, {
    'spec.release': 'r'.repeat(64),
  }),
];

/** All of them. */
export const invalidSpecimens: readonly InvalidSpecimen[] = [
  ...metadata,
  ...components,
  ...autoscaling,
  ...gateway,
  ...strategy,
  ...metrics,
  ...rest,
];
