// What the demonstration asks: mostly common questions, which the cache answers after the first time, and a few new ones
// for the model. New questions beyond what a small model manages are answered by the rule-based tier.

/** Why a question costs what it costs; printed with the mix. */
export type QuestionKind = 'common' | 'new';

/** A question to send. */
export interface Question {
  readonly kind: QuestionKind;
  readonly text: string;
}

/** The share of each kind, adding up to 1. A local model gives about 100 tokens a second, so that new questions are few. */
export const mix: Readonly<Record<QuestionKind, number>> = { common: 0.98, new: 0.02 };

/** Most tokens of an answer in the demonstration. */
export const answerTokens = 24;

const common = [
  'What are your opening hours?',
  'How do I reset my password?',
  'Where is my order?',
  'Do you ship abroad?',
  'How can I talk to a person?',
  'What does the premium plan cost?',
  'How do I cancel my plan?',
  'Can I get a refund?',
];
const topics = ['gateways', 'queues', 'leases', 'sockets', 'canaries', 'caches', 'retries', 'clocks'];

/**
 * A generator of questions in the proportions of {@link mix}.
 * @param random numbers in [0, 1), so that a run can be repeated.
 */
export function* questions(random: () => number): Generator<Question, never> {
  for (let n = 1; ; n++) {
    const roll = random();
    if (roll < mix.common) yield { kind: 'common', text: pick(common, random) };
    else yield { kind: 'new', text: `In one sentence, what are ${pick(topics, random)} good for? (${n})` };
  }
}

function pick(list: readonly string[], random: () => number): string {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error('random() must give numbers in [0, 1)');
  return item;
}

/** A small seeded generator (mulberry32), good enough to choose questions. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
