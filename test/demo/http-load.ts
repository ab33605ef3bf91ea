// Open-loop HTTP load: a request every so often, whatever became of the ones before, as real users behave.
import { Agent, request } from 'undici';
import { answerTokens, type Question, type QuestionKind } from './questions.ts';

/** What became of one request. */
export interface Outcome {
  readonly kind: QuestionKind;
  /** HTTP status, or 0 when no answer came. */
  readonly status: number;
  readonly milliseconds: number;
  /** Revision that answered (`x-assistant-revision`), empty without an answer. */
  readonly revision: string;
  /** Answer tier: model, cache, rules; empty on a failure. */
  readonly tier: string;
  readonly error?: string;
}

/** How to drive the load. */
export interface LoadOptions {
  /** Base URL of the gateway. */
  readonly gateway: string;
  readonly requestsPerSecond: number;
  readonly questions: Iterator<Question, never>;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly signal: AbortSignal;
}

const timeoutMs = 30_000;
/** Guest tokens live 15 minutes; a new one is taken well before. */
const tokenLifetimeMs = 5 * 60_000;

/** Sends until the signal fires, then waits for the answers that are still under way. */
export async function runHttpLoad(options: LoadOptions): Promise<void> {
  const agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 30_000 });
  const underWay = new Set<Promise<void>>();
  const tokens = guestTokens(options.gateway, agent);
  let sent = 0;
  const started = performance.now();
  const over = () => options.signal.aborted;
  while (!over()) {
    const due = started + (sent * 1000) / options.requestsPerSecond;
    await until(due, options.signal);
    if (over()) break;
    sent += 1;
    const one = ask(options, agent, tokens, options.questions.next().value, sent).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
  await agent.close();
}

async function ask(
  options: LoadOptions,
  agent: Agent,
  tokens: TokenSource,
  question: Question,
  number: number,
): Promise<void> {
  const started = performance.now();
  const done = (rest: Partial<Outcome>) =>
    options.onOutcome({
      kind: question.kind,
      status: 0,
      revision: '',
      tier: '',
      milliseconds: performance.now() - started,
      ...rest,
    });
  try {
    const response = await request(`${options.gateway}/v1/conversations/demo-http-${number % 500}/messages`, {
      method: 'POST',
      dispatcher: agent,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      headers: {
        authorization: `Bearer ${await tokens()}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify({ text: question.text, maxTokens: answerTokens }),
    });
    const body = await response.body.text();
    const header = response.headers['x-assistant-revision'];
    const revision = typeof header === 'string' ? header : '';
    if (response.statusCode >= 400) {
      done({ status: response.statusCode, revision, error: body.slice(0, 200) });
      return;
    }
    done({ status: response.statusCode, revision, tier: tierOf(body) });
  } catch (error) {
    done({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

function tierOf(body: string): string {
  const message = JSON.parse(body) as { answer?: { tier?: string } };
  return message.answer?.tier ?? '';
}

/** Gives a token that is good for some minutes more. */
export type TokenSource = () => Promise<string>;

/** One guest token at a time, renewed before it expires; failed renewals are tried again by the next request. */
export function guestTokens(gateway: string, agent?: Agent): TokenSource {
  let current: Promise<string> | undefined;
  let takenAt = 0;
  return () => {
    if (current && Date.now() - takenAt < tokenLifetimeMs) return current;
    takenAt = Date.now();
    const next = guestToken(gateway, agent);
    next.catch(() => {
      if (current === next) current = undefined;
    });
    current = next;
    return next;
  };
}

/** Takes a guest token from the chat service. Throws with the status when it is refused. */
export async function guestToken(gateway: string, agent?: Agent): Promise<string> {
  const response = await request(`${gateway}/v1/sessions`, {
    method: 'POST',
    ...(agent ? { dispatcher: agent } : {}),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const body = await response.body.text();
  if (response.statusCode >= 400)
    throw new Error(`POST /v1/sessions answered ${response.statusCode}: ${body.slice(0, 200)}`);
  return (JSON.parse(body) as { token: string }).token;
}

function until(due: number, signal: AbortSignal): Promise<void> {
  const wait = due - performance.now();
  if (wait <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, wait);
    signal.addEventListener('abort', finish, { once: true });
  });
}
