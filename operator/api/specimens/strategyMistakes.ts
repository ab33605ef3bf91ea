// Mistakes in the strategy and in what it judges by.
import { blueGreenObject } from './base.ts';
import { mistake, type InvalidSpecimen } from './mistake.ts';

const blueGreen = blueGreenObject();

/** A canary of other steps. */
export const steps = (...list: unknown[]): Readonly<Record<string, unknown>> => ({
  'spec.strategy.canary.steps': list,
});
const step0 = 'spec.strategy.canary.steps[0]';
export const strategyMistakes: readonly InvalidSpecimen[] = [
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

export const metricMistakes: readonly InvalidSpecimen[] = [
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
