// What the model service reads from its environment.
import { count, podSettings, readSettings } from '@assistant-platform/kit/config';
import { z } from 'zod';

const modelSettings = podSettings.extend({
  /** The GGUF file. */
  MODEL_PATH: z.string({ error: 'set it to the path of a GGUF file' }),
  /** Folder whose node_modules holds node-llama-cpp: it is no dependency of the workspace, being 85 MB of binaries. */
  LLAMA_PATH: z.string({ error: 'set it to the folder that has node_modules/node-llama-cpp' }),
  /** Name in /v1/models and in answers. */
  MODEL_NAME: z.string().default('smollm2-135m-instruct'),
  /** Answers made side by side; they share one thread. */
  MODEL_SLOTS: count(2, 1, 64),
  /** Requests that may wait for a slot; the next one is refused with 429. */
  MODEL_QUEUE: count(8, 0, 10_000),
  /** Tokens of a conversation with its answer. */
  MODEL_CONTEXT_TOKENS: count(1_024, 128, 131_072),
  /** Upper bound of max_tokens, and its default. */
  MODEL_MAX_TOKENS: count(256, 1, 8_192),
  /** Two threads fell to 2 tokens a second on a busy machine; one stays at 100. */
  MODEL_THREADS: count(1, 1, 256),
});
export type ModelSettings = z.output<typeof modelSettings>;

/** @throws SettingsError listing every wrong variable */
export const readModelSettings = (environment: NodeJS.ProcessEnv): ModelSettings =>
  readSettings(modelSettings, environment);
