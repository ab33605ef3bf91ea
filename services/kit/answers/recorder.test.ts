import { expect, test } from 'vitest';
import { defaultLogLimits, StorageUnavailable } from '../conversation/log.ts';
import type { ConversationLog } from '../conversation/log.ts';
import type { AnswerEngine } from './engine.ts';
import { recordAnswer } from './recorder.ts';

const claim = { conversation: 'c', replyTo: 1, answerId: 'a' };

test('a pod that stops does not repeat writes to a Redis that is away: its patience is longer than the time to stop', async () => {
  const stopping = new AbortController();
  let writes = 0;
  const log: Partial<ConversationLog> = {
    limits: defaultLogLimits,
    appendAnswer: () => {
      writes += 1;
      if (writes === 2) stopping.abort();
      // The fourth would do.
      return writes > 3 ? Promise.resolve([]) : Promise.reject(new StorageUnavailable('away'));
    },
    release: () => Promise.reject(new StorageUnavailable('away')),
  };
  const engine: AnswerEngine = {
    answer: async ({ signal }, onText) => {
      onText('to be continued');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { text: 'to be continued', tier: 'model', degraded: false, outcome: 'aborted' };
    },
  };
  const result = await recordAnswer(
    {
      engine,
      log: log as ConversationLog,
      claim,
      answerId: claim.answerId,
      gatherMs: 0,
      patienceMs: 30_000,
      onEntry: () => undefined,
    },
    { question: 'q', history: [] },
    stopping.signal,
  );
  expect(result).toBe('released');
  expect(writes).toBe(2);
});
