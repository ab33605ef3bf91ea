// New revisions of the real services, good ones and ones with a real fault each: what `real-services.ts` starts. Pure.
import type { MetricPreset } from '@assistant-platform/api';
import type { Script } from '../servers/scripted-model.ts';
import { PRESETS } from './made-up.ts';

export type Component = 'chat' | 'realtime';

/** A new revision, and what is wrong with it. */
export interface Release {
  readonly name: string;
  /** In words. */
  readonly fault: string;
  /** The metric that should see the fault; null: nothing is wrong. */
  readonly seenBy: MetricPreset | null;
  readonly component: Component;
  /** What its model does otherwise than the usual one. */
  readonly script?: Partial<Script>;
  readonly environment?: Readonly<Record<string, string>>;
  /** It has a Redis of its own, without the conversations. */
  readonly wrongRedis?: boolean;
  /** The file of its secrets is not there. */
  readonly noSecrets?: boolean;
  /** Questions at a time; default few. */
  readonly atATime?: number;
}

/** Twelve pieces, five milliseconds each. */
export const USUAL: Script = { tokens: Array.from({ length: 12 }, (_, index) => `word ${index} `), everyMs: 5 };
/** Million tokens of the usual model cost this much. */
export const USUAL_PRICE = 1;
/** More at a time where the model makes the answers wait and not the processor. */
const SLOW = { atATime: 8 };

type Fault = Pick<Release, 'fault'> & Partial<Release>;

const slow = (everyMs: number): Fault => ({
  fault: `the model takes ${everyMs} ms for a piece`,
  script: { everyMs },
  ...SLOW,
});
const thinks = (everyMs: number): Fault => ({
  fault: `nothing for ${everyMs} ms, then all at once`,
  script: { tokens: ['all at once'], everyMs },
  ...SLOW,
});
const breaksOff = (breakAfter: number, breakEvery: number): Fault => ({
  fault: `the model breaks off one of ${breakEvery} answers after ${breakAfter} ${breakAfter === 1 ? 'piece' : 'pieces'}`,
  script: { breakAfter, breakEvery },
});
const expensive = (price: number): Fault => ({
  fault: `a model of ${price} times the price`,
  environment: { MODEL_USD_PER_MILLION_TOKENS: String(price * USUAL_PRICE) },
});

/** What can be wrong with a real service, by the metric that should see it: the most obvious one first. */
export const FAULTS: Readonly<Record<MetricPreset, readonly [Fault, ...Fault[]]>> = {
  ErrorRate: [
    { fault: 'its secrets are not there: 503', noSecrets: true },
    { fault: 'its secrets are not there: 503, asked eight at a time', noSecrets: true, ...SLOW },
  ],
  LatencyP95: [slow(100), slow(150), slow(120), slow(80)],
  TimeToFirstChunkP95: [thinks(1000), thinks(700), thinks(500), thinks(400)],
  TokensPerSecond: [slow(120), slow(150), slow(100), slow(80)],
  FallbackRate: [
    { fault: 'the model refuses', script: { status: 500 } },
    {
      fault: 'it waits 2 ms for the first piece of the model',
      environment: { MODEL_FIRST_CHUNK_TIMEOUT_MS: '2' },
    },
    { fault: 'it does not know where the model is', environment: { MODEL_URL: 'http://127.0.0.1:9/v1' } },
    { fault: 'one place at the model for eight that ask', environment: { MODEL_CONCURRENCY: '1' }, ...SLOW },
  ],
  StreamAbortRate: [breaksOff(3, 2), breaksOff(6, 3), breaksOff(9, 4), breaksOff(1, 5)],
  CostPerAnswer: [expensive(5), expensive(4), expensive(3)],
  SessionResumeRate: [{ fault: 'another Redis: conversations are not there', component: 'realtime', wrongRedis: true }],
};

/** A release with the nth fault of its kind. */
export function bad(name: string, seenBy: MetricPreset, nth = 0): Release {
  const ways = FAULTS[seenBy];
  return { component: 'chat', ...(ways[nth % ways.length] ?? ways[0]), name, seenBy };
}

export const good = (name: string, component: Component): Release => ({
  name,
  component,
  fault: 'nothing',
  seenBy: null,
});

/** Half of them good, half of them bad in each way in turn, good and bad by turns; of the good ones as many are realtime as of the bad ones. */
export function releases(count: number): readonly Release[] {
  return Array.from({ length: count }, (_, index) => {
    const nth = Math.floor(index / 2);
    const preset = PRESETS[nth % PRESETS.length] as MetricPreset;
    const name = String(nth).padStart(2, '0');
    return index % 2 === 0
      ? bad(`bad-${name}`, preset, Math.floor(nth / PRESETS.length))
      : good(`good-${name}`, preset === 'SessionResumeRate' ? 'realtime' : 'chat');
  });
}
