// The model service: the OpenAI chat API over a local model, for the offline and fallback tier.
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { createAdminServer } from '@assistant-platform/kit/admin';
import { closeHttpServer, createHttpServer } from '@assistant-platform/kit/http';
import type { StopStep } from '@assistant-platform/kit/lifecycle';
import { openPodBase } from '@assistant-platform/kit/pod';
import type { PodBase } from '@assistant-platform/kit/pod';
import { Problem } from '@assistant-platform/kit/problems';
import { LineFull } from '@assistant-platform/kit/slots';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Generated, LanguageModel } from './llama.ts';
import { loadLanguageModel } from './llama.ts';
import type { ModelSettings } from './settings.ts';

export interface ModelService {
  readonly base: PodBase;
  readonly app: FastifyInstance;
  /** Resolves when the model is loaded. */
  readonly ready: Promise<void>;
  readonly stopSteps: () => StopStep[];
}

/** Characters of all turns together; a context of 1,024 tokens holds about 4,000. */
const longestInput = 16_000;

const chatRequest = z.object({
  model: z.string().optional(),
  messages: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string().max(longestInput) }))
    .min(1)
    .max(100)
    .refine((turns) => turns.at(-1)?.role === 'user', "the last message must be the user's"),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().default(false) }).optional(),
  max_tokens: z.number().int().min(1).optional(),
  max_completion_tokens: z.number().int().min(1).optional(),
  temperature: z.number().min(0).max(2).default(0),
});

const usageOf = ({ inputTokens, outputTokens }: Generated) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
});

/** Aborted when the caller hangs up before the answer is complete. */
function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the caller hung up'));
  });
  return gone.signal;
}

/** A full line is a 429, which callers understand as "not now". */
function asRefusal(error: unknown): unknown {
  return error instanceof LineFull ? new Problem('rate_limited', { cause: error, retryAfterSeconds: 1 }) : error;
}

function addRoutes(app: FastifyInstance, settings: ModelSettings, loaded: () => LanguageModel | undefined): void {
  const model = settings.MODEL_NAME;
  const created = Math.floor(Date.now() / 1000);
  app.get('/v1/models', () => ({
    object: 'list',
    data: [{ id: model, object: 'model', created, owned_by: 'assistant-platform' }],
  }));

  app.post('/v1/chat/completions', async (request, reply) => {
    const asked = chatRequest.parse(request.body);
    const engine = loaded();
    if (engine === undefined) throw new Problem('not_ready', { retryAfterSeconds: 2 });
    const signal = callerGone(reply);
    const maxTokens = Math.min(
      asked.max_completion_tokens ?? asked.max_tokens ?? settings.MODEL_MAX_TOKENS,
      settings.MODEL_MAX_TOKENS,
    );
    const id = `chatcmpl-${randomUUID()}`;
    const head = { id, created: Math.floor(Date.now() / 1000), model };
    const common = { maxTokens, temperature: asked.temperature, signal };

    if (!asked.stream) {
      let content = '';
      const onText = (text: string) => {
        content += text;
      };
      const result = await engine.generate(asked.messages, { ...common, onText }).catch((error: unknown) => {
        throw asRefusal(error);
      });
      const message = { role: 'assistant', content };
      const choices = [{ index: 0, message, finish_reason: result.finish }];
      return await reply.send({ ...head, object: 'chat.completion', choices, usage: usageOf(result) });
    }

    const events = new PassThrough();
    let begun = false;
    const send = (part: object) => {
      if (!begun) {
        begun = true;
        void reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-store').send(events);
      }
      events.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...part })}\n\n`);
    };
    const choice = (delta: object, finish: string | null) => ({
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    engine
      .generate(asked.messages, {
        ...common,
        onText: (content) => {
          if (content !== '') send(choice(begun ? { content } : { role: 'assistant', content }, null));
        },
      })
      .then((result) => {
        send(choice({}, result.finish));
        if (asked.stream_options?.include_usage === true) send({ choices: [], usage: usageOf(result) });
        events.end('data: [DONE]\n\n');
      })
      .catch((error: unknown) => {
        if (!begun && !signal.aborted) {
          void reply.send(asRefusal(error));
          return;
        }
        if (!signal.aborted) request.log.error({ err: error }, 'generation failed in the middle');
        // Cut, not ended: the caller must see that the answer is not complete.
        events.destroy();
        reply.hijack();
        reply.raw.destroy();
      });
    return reply;
  });
}

/** Starts listening and returns; the model is loaded behind. */
export async function startModel(settings: ModelSettings): Promise<ModelService> {
  const base = openPodBase(settings, 'model');
  const { log, metrics, lifecycle, identity } = base;
  const common = { log, metrics, lifecycle, revision: identity.revision };
  let model: LanguageModel | undefined;

  const app = createHttpServer({ ...common, bodyLimit: 256 * 1024 });
  addRoutes(app, settings, () => model);
  const counts = () => ({
    open: (model?.slots.busy() ?? 0) + (model?.slots.waiting() ?? 0),
    busy: model?.slots.busy() ?? 0,
    oldestSeconds: 0,
    draining: lifecycle.state() === 'draining',
  });
  const sessions = { counts, drain: () => lifecycle.drain() };
  const admin = createAdminServer({ ...common, sessions, tokenFile: settings.ASSISTANT_ADMIN_TOKEN_FILE });
  await app.listen({ host: settings.HOST, port: settings.PORT });
  await admin.listen({ host: settings.HOST, port: settings.ADMIN_PORT });

  const startedAt = performance.now();
  const say = (level: string, message: string) => {
    log[level === 'error' || level === 'fatal' ? 'error' : 'debug']({ reason: message.trim() }, 'llama.cpp');
  };
  const ready = loadLanguageModel(settings, say).then((loaded) => {
    model = loaded;
    lifecycle.started();
    log.info({ model: settings.MODEL_NAME, ms: Math.round(performance.now() - startedAt) }, 'model loaded');
  });
  return {
    base,
    app,
    ready,
    stopSteps: () => [
      { name: 'requests', run: () => closeHttpServer(app) },
      { name: 'admin port', run: () => closeHttpServer(admin) },
      { name: 'model', run: () => model?.close() },
      ...base.closing,
    ],
  };
}
