// The language model itself: node-llama-cpp on the CPU, loaded at run time from LLAMA_PATH and typed by what we use.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createSlots } from '@assistant-platform/kit/slots';
import type { Slots } from '@assistant-platform/kit/slots';
import type { ModelSettings } from './settings.ts';

/** One turn, as the OpenAI API names it. */
export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Generation {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly onText: (text: string) => void;
  /** Ends the generation within a token; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface Generated {
  readonly finish: 'stop' | 'length';
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface LanguageModel {
  readonly slots: Pick<Slots<unknown>, 'busy' | 'waiting'>;
  /** @param turns the last one is the user's. @throws LineFull when too many requests wait */
  generate(turns: readonly ChatTurn[], options: Generation): Promise<Generated>;
  close(): Promise<void>;
}

// What we use of node-llama-cpp 3.22.
type HistoryItem =
  | { type: 'system'; text: string }
  | { type: 'user'; text: string }
  | { type: 'model'; response: string[] };
interface ContextSequence {
  readonly tokenMeter: { readonly usedInputTokens: number; readonly usedOutputTokens: number };
  clearHistory(): Promise<void>;
}
interface ChatSession {
  setChatHistory(history: HistoryItem[]): void;
  promptWithMeta(
    prompt: string,
    options: {
      maxTokens: number;
      temperature: number;
      signal: AbortSignal;
      stopOnAbortSignal: boolean;
      onTextChunk: (text: string) => void;
    },
  ): Promise<{ stopReason: string }>;
  dispose(): void;
}
interface LlamaContext {
  getSequence(): ContextSequence;
}
interface LlamaModel {
  createContext(options: { sequences: number; contextSize: number; threads: number }): Promise<LlamaContext>;
}
interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}
interface LlamaLibrary {
  getLlama(options: {
    gpu: false;
    build: 'never';
    maxThreads: number;
    logLevel: 'warn';
    logger: (level: string, message: string) => void;
  }): Promise<Llama>;
  LlamaChatSession: new (options: {
    contextSequence: ContextSequence;
    autoDisposeSequence: boolean;
    systemPrompt?: string;
  }) => ChatSession;
}

const historyItem = ({ role, content }: ChatTurn): HistoryItem =>
  role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content };

/** Loads the model; takes about a second and 430 MB. @throws when the library or the file is not there or not usable */
export async function loadLanguageModel(
  settings: ModelSettings,
  log: (level: string, message: string) => void,
): Promise<LanguageModel> {
  const entry = join(settings.LLAMA_PATH, 'node_modules/node-llama-cpp/dist/index.js');
  const library = (await import(pathToFileURL(entry).href)) as LlamaLibrary;
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    maxThreads: settings.MODEL_THREADS,
    logLevel: 'warn',
    logger: log,
  });
  const model = await llama.loadModel({ modelPath: settings.MODEL_PATH });
  const context = await model.createContext({
    sequences: settings.MODEL_SLOTS,
    contextSize: settings.MODEL_CONTEXT_TOKENS,
    threads: settings.MODEL_THREADS,
  });
  const sequences = Array.from({ length: settings.MODEL_SLOTS }, () => context.getSequence());
  const slots = createSlots(sequences, settings.MODEL_QUEUE);

  const generateIn = async (
    sequence: ContextSequence,
    turns: readonly ChatTurn[],
    { maxTokens, temperature, onText, signal }: Generation,
  ): Promise<Generated> => {
    const question = turns.at(-1)?.content ?? '';
    const session = new library.LlamaChatSession({ contextSequence: sequence, autoDisposeSequence: false });
    const meter = sequence.tokenMeter;
    const before = { input: meter.usedInputTokens, output: meter.usedOutputTokens };
    try {
      session.setChatHistory(turns.slice(0, -1).map(historyItem));
      const options = { maxTokens, temperature, signal, stopOnAbortSignal: true, onTextChunk: onText };
      const { stopReason } = await session.promptWithMeta(question, options);
      signal.throwIfAborted();
      return {
        finish: stopReason === 'maxTokens' ? 'length' : 'stop',
        inputTokens: meter.usedInputTokens - before.input,
        outputTokens: meter.usedOutputTokens - before.output,
      };
    } finally {
      session.dispose();
      await sequence.clearHistory();
    }
  };

  return {
    slots,
    generate: (turns, options) => slots.use((sequence) => generateIn(sequence, turns, options), options.signal),
    close: () => llama.dispose(),
  };
}
