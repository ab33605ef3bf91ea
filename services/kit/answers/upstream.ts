// One call to an OpenAI-compatible model (POST /chat/completions, streamed), with a limit on each kind of waiting.
import { createParser } from 'eventsource-parser';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { traceHeaders } from '../telemetry.ts';

/** One turn of a conversation, as models take it. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** The model could not be called, answered with an error, fell silent or broke off. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly kind: 'connect' | 'status' | 'busy' | 'silence' | 'deadline' | 'broken' | 'empty';
  constructor(kind: UpstreamFailure['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** Whether an error speaks against the model, and so opens its breaker: not a caller who left, not a full queue, not a question without an answer. */
export function countsAgainstModel(error: unknown): boolean {
  return error instanceof UpstreamFailure && error.kind !== 'busy' && error.kind !== 'empty';
}

export interface UpstreamResult {
  /** `length`: the token limit cut the answer. */
  readonly finish: 'stop' | 'length';
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface UpstreamLimits {
  readonly firstChunkMs: number;
  readonly chunkMs: number;
  readonly totalMs: number;
}

export interface Upstream {
  readonly model: string;
  /**
   * @param onText called with each piece of text, in order
   * @param signal ends the call; the promise then rejects with the signal's reason
   * @throws UpstreamFailure
   */
  complete(
    turns: readonly Turn[],
    maxTokens: number,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<UpstreamResult>;
  close(): Promise<void>;
}

const chunkSchema = z.object({
  /** What went wrong on the server after it had begun its answer. */
  error: z.unknown().optional(),
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).optional(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

/** How long the end of the response is waited for behind `[DONE]`: one that comes leaves its connection to the next call. */
const endMs = 100;

/** @param baseUrl ends in /v1 */
export function createUpstream(baseUrl: string, model: string, limits: UpstreamLimits): Upstream {
  const agent = new Agent({
    connect: { timeout: Math.min(limits.firstChunkMs, 2_000) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const url = `${baseUrl.replace(/\/+$/, '')}/chat/completions`;

  return {
    model,
    close: () => agent.close(),
    async complete(turns, maxTokens, onText, signal) {
      const limit = new AbortController();
      const expire = (kind: 'silence' | 'deadline', ms: number, what: string) =>
        setTimeout(() => limit.abort(new UpstreamFailure(kind, `${url}: ${what} within ${ms} ms`)), ms);
      const total = expire('deadline', limits.totalMs, 'no whole answer');
      let silence = expire('silence', limits.firstChunkMs, 'no first text');
      const anyEnd = AbortSignal.any([signal, limit.signal]);

      let finish: UpstreamResult['finish'] | undefined;
      let ended = false;
      /** What the connection does from then on takes nothing away. */
      const isWhole = () => ended || finish !== undefined;
      let usage = { prompt_tokens: 0, completion_tokens: 0 };
      let pieces = 0;
      const parser = createParser({
        onEvent: ({ data }) => {
          if (data === '[DONE]') {
            ended = true;
            clearTimeout(silence);
            silence = expire('silence', endMs, 'no end behind [DONE]');
            return;
          }
          const chunk = chunkSchema.parse(JSON.parse(data));
          if (chunk.error !== undefined && chunk.error !== null) {
            const said = JSON.stringify(chunk.error).slice(0, 200);
            throw new UpstreamFailure(pieces > 0 ? 'broken' : 'status', `${url}: an error instead of text: ${said}`);
          }
          if (chunk.usage) usage = chunk.usage;
          const choice = chunk.choices[0];
          if (choice?.finish_reason) finish = choice.finish_reason === 'length' ? 'length' : 'stop';
          const text = choice?.delta?.content;
          if (text === undefined || text === null || text === '') return;
          pieces += 1;
          clearTimeout(silence);
          silence = expire('silence', limits.chunkMs, 'no further text');
          onText(text);
        },
      });

      try {
        const answer = await request(url, {
          method: 'POST',
          dispatcher: agent,
          signal: anyEnd,
          headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...traceHeaders() },
          body: JSON.stringify({
            model,
            messages: turns,
            max_tokens: maxTokens,
            stream: true,
            stream_options: { include_usage: true },
          }),
        });
        if (answer.statusCode !== 200) {
          const body = (await answer.body.text()).slice(0, 200);
          const busy = answer.statusCode === 429 || answer.statusCode === 503;
          throw new UpstreamFailure(busy ? 'busy' : 'status', `${url}: status ${answer.statusCode}: ${body}`);
        }
        const decoder = new TextDecoder();
        for await (const bytes of answer.body) parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }));
        if (!isWhole()) throw new UpstreamFailure('broken', `${url}: the stream ended without an end`);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!isWhole()) {
          if (limit.signal.aborted) throw limit.signal.reason;
          if (error instanceof UpstreamFailure) throw error;
          const kind = pieces > 0 ? 'broken' : 'connect';
          const said = error instanceof Error ? error.message || error.name : String(error);
          throw new UpstreamFailure(kind, `${url}: ${said}`, error);
        }
      } finally {
        clearTimeout(total);
        clearTimeout(silence);
      }
      if (pieces === 0) throw new UpstreamFailure('empty', `${url}: an end without any text`);
      return {
        finish: finish ?? 'stop',
        inputTokens: usage.prompt_tokens,
        outputTokens: usage.completion_tokens === 0 ? pieces : usage.completion_tokens,
      };
    },
  };
}
