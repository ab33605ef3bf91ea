// Asks the assistant a real question through the gateway, until the local model itself has answered.
import { setTimeout as delay } from 'node:timers/promises';

/** An answer, and where it came from. */
export interface FirstAnswer {
  readonly question: string;
  readonly text: string;
  /** `model`, `cache` or `rules`. */
  readonly tier: string;
  readonly tookMs: number;
}

// A repeated start must not be answered from the cache: many questions, begun at another one each time.
const COUNTRIES = [
  ...[
    'Argentina',
    'Australia',
    'Austria',
    'Belgium',
    'Brazil',
    'Canada',
    'Chile',
    'China',
    'Cuba',
    'Denmark',
    'Egypt',
    'Finland',
  ],
  ...[
    'France',
    'Germany',
    'Greece',
    'Hungary',
    'Iceland',
    'India',
    'Ireland',
    'Italy',
    'Japan',
    'Kenya',
    'Mexico',
    'Morocco',
  ],
  ...[
    'Nepal',
    'Norway',
    'Peru',
    'Poland',
    'Portugal',
    'Romania',
    'Spain',
    'Sweden',
    'Thailand',
    'Tunisia',
    'Turkey',
    'Vietnam',
  ],
];
const EVERY_MS = 1000;

/**
 * @param gateway base address, `http://host:port`.
 * @param say hears what is in the way while it waits.
 * @throws Error with the last reason when no answer of the model came within `timeoutMs`.
 */
export async function firstAnswer(
  gateway: string,
  timeoutMs: number,
  say: (text: string) => void,
): Promise<FirstAnswer> {
  const begin = Date.now();
  const deadline = begin + timeoutMs;
  let reason = 'nothing was tried';
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    try {
      const answer = await ask(gateway, questionOf(begin + attempt), `start-${begin.toString(36)}-${attempt}`);
      if (answer.tier === 'model') return answer;
      reason = `the answer came from "${answer.tier}", not from the model`;
    } catch (error) {
      reason = error instanceof Error ? explain(error) : String(error);
    }
    say(reason);
    await delay(EVERY_MS);
  }
  throw new Error(`The assistant at ${gateway} did not answer from its model within ${timeoutMs / 1000} s: ${reason}`);
}

/** One of the questions; neighbouring numbers give different ones. */
function questionOf(number: number): string {
  return `What is the capital of ${COUNTRIES[number % COUNTRIES.length] ?? 'France'}?`;
}

async function ask(gateway: string, question: string, conversation: string): Promise<FirstAnswer> {
  const started = performance.now();
  const signal = AbortSignal.timeout(60_000);
  const session = await fetch(`${gateway}/v1/sessions`, { method: 'POST', signal });
  if (!session.ok) throw new Error(`POST /v1/sessions answered ${session.status}`);
  const { token } = (await session.json()) as { token: string };
  const response = await fetch(`${gateway}/v1/conversations/${conversation}/messages`, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ text: question, maxTokens: 48 }),
  });
  if (!response.ok) throw new Error(`POST /v1/conversations/:id/messages answered ${response.status}`);
  const { answer } = (await response.json()) as { answer: { text: string; tier: string } };
  return { question, text: answer.text.trim(), tier: answer.tier, tookMs: performance.now() - started };
}

/** fetch says only "fetch failed"; its cause says why. */
function explain(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
