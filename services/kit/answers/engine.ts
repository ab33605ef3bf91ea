// Makes answers, tier after tier: an earlier answer to the same question, the model, the written rules. Used by chat
// and realtime alike, so that neither depends on the other.
//
// MID-STREAM FAILOVER. Text that was given out is never taken back within one answer. A model that fails before its
// first text is skipped: the next tier answers alone. A model that fails after n pieces of text keeps them; the rules
// append one sentence that says the answer broke off (rules.ts), and the result is tier `rules`, degraded, outcome
// `failover`, brokenAfter n. Such an answer is never cached.
import type { AnswerOutcome, AnswerTier } from '../conversation/entries.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { DependencyUnavailable } from '../resilience.ts';
import type { Guard } from '../resilience.ts';
import { inSpan } from '../telemetry.ts';
import type { AnswerCache, QuestionKey } from './cache.ts';
import { cacheKey } from './cache.ts';
import { ruleAnswer, ruleContinuation } from './rules.ts';
import { beginSharedCall } from './shared-call.ts';
import type { SharedCall } from './shared-call.ts';
import type { Turn, Upstream } from './upstream.ts';
import { UpstreamFailure } from './upstream.ts';

/** Version of what is put before a question: nothing; SmolLM2-135M answers best without a system prompt. */
export const promptVersion = 'plain-1';

export interface AnswerRequest {
  readonly question: string;
  /** Earlier turns of the conversation, oldest first; empty unless the flag new-memory is on. */
  readonly history: readonly Turn[];
  /** Below the engine's own bound; a short answer is a cheap one. */
  readonly maxTokens?: number | undefined;
  /** Ends the work: nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

export interface AnswerResult {
  readonly text: string;
  readonly tier: AnswerTier;
  readonly degraded: boolean;
  readonly outcome: AnswerOutcome;
  /** Pieces that the model gave before it broke off. */
  readonly brokenAfter?: number;
}

export interface AnswerEngine {
  /**
   * Always ends with an answer; it throws only what `onText` throws.
   * @param onText called with each piece, in order; the pieces add up to the text of the result
   */
  answer(request: AnswerRequest, onText: (text: string) => void): Promise<AnswerResult>;
}

export interface EngineParts {
  /** Absent: no model is configured, and the rules are the first tier (then nothing is degraded). */
  readonly model?: { readonly upstream: Upstream; readonly guard: Guard } | undefined;
  readonly cache?: AnswerCache | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly maxTokens: number;
  readonly usdPerMillionTokens: number;
}

/** Why the model gave no (whole) answer, as a metric label. */
function failureKind(error: unknown): string {
  if (error instanceof UpstreamFailure) return error.kind;
  if (error instanceof DependencyUnavailable) return error.reason;
  return 'error';
}

/** An answer of the model, with what it cost. */
type ModelAnswer = AnswerResult & { readonly tokens: number; readonly usd: number };

export function createAnswerEngine(parts: EngineParts): AnswerEngine {
  const { model, cache, metrics, log } = parts;
  /** Questions that the model is answering right now. */
  const underWay = new Map<string, SharedCall<ModelAnswer>>();

  const askModel = async (
    { upstream, guard }: NonNullable<EngineParts['model']>,
    question: QuestionKey,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<ModelAnswer> => {
    const asked = question.turns.at(-1)?.content ?? '';
    let text = '';
    let pieces = 0;
    const startedAt = performance.now();
    const seconds = () => (performance.now() - startedAt) / 1000;
    const take = (piece: string) => {
      if (pieces === 0) metrics.modelFirstChunkSeconds.observe({ tier: 'model' }, seconds());
      pieces += 1;
      text += piece;
      onText(piece);
    };
    try {
      const { turns, maxTokens } = question;
      const result = await guard.run(() => upstream.complete(turns, maxTokens, take, signal), signal);
      metrics.modelOperationSeconds.observe({ tier: 'model', outcome: 'ok' }, seconds());
      metrics.modelTokens.inc({ direction: 'input' }, result.inputTokens);
      metrics.modelTokens.inc({ direction: 'output' }, result.outputTokens);
      const tokens = result.inputTokens + result.outputTokens;
      const usd = (tokens * parts.usdPerMillionTokens) / 1e6;
      metrics.answerCostUsd.inc({ tier: 'model' }, usd);
      const outcome = result.finish === 'length' ? 'length' : 'complete';
      return { text, tier: 'model', degraded: false, outcome, tokens, usd };
    } catch (error) {
      if (signal.aborted) return { text, tier: 'model', degraded: false, outcome: 'aborted', tokens: 0, usd: 0 };
      const kind = failureKind(error);
      if (kind === 'error') log.error({ err: error }, 'unexpected failure of the model call; the rules answer');
      metrics.modelOperationSeconds.observe({ tier: 'model', outcome: kind }, seconds());
      log.debug({ reason: error instanceof Error ? error.message : String(error) }, 'the model did not answer');
      const rest = pieces === 0 ? ruleAnswer(asked) : ruleContinuation(asked);
      onText(rest);
      const broken = pieces === 0 ? {} : { brokenAfter: pieces };
      const outcome = pieces === 0 ? 'complete' : 'failover';
      return { text: text + rest, tier: 'rules', degraded: true, outcome, ...broken, tokens: 0, usd: 0 };
    }
  };

  const begin = (key: string, question: QuestionKey, asked: NonNullable<EngineParts['model']>) => {
    const call = beginSharedCall<ModelAnswer>(
      async (onText, signal) => {
        const answer = await askModel(asked, question, onText, signal);
        const { text, tier, outcome, tokens, usd } = answer;
        if (tier === 'model' && outcome !== 'aborted') await cache?.keep(question, text, { tokens, usd });
        return answer;
      },
      () => {
        if (underWay.get(key) === call) underWay.delete(key);
      },
    );
    underWay.set(key, call);
    return call;
  };

  const make = async (request: AnswerRequest, onText: (text: string) => void): Promise<AnswerResult> => {
    if (model === undefined) {
      const text = ruleAnswer(request.question);
      onText(text);
      return { text, tier: 'rules', degraded: false, outcome: 'complete' };
    }
    const maxTokens = Math.min(request.maxTokens ?? parts.maxTokens, parts.maxTokens);
    const turns: Turn[] = [...request.history, { role: 'user', content: request.question }];
    const names = { taskType: 'chat', tenant: 'public', model: model.upstream.model, promptVersion, maxTokens };
    const question: QuestionKey = { ...names, turns };

    const hit = await cache?.find(question);
    if (hit !== undefined) {
      onText(hit.answer);
      return { text: hit.answer, tier: 'cache', degraded: false, outcome: 'complete' };
    }
    const key = cacheKey(question);
    let text = '';
    const call = underWay.get(key) ?? begin(key, question, model);
    const answer = await call.join((piece) => {
      text += piece;
      onText(piece);
    }, request.signal);
    if (answer === undefined) return { text, tier: 'model', degraded: false, outcome: 'aborted' };
    const { tokens: _tokens, usd: _usd, ...result } = answer;
    return result;
  };

  return {
    answer: (request, onText) =>
      inSpan('answer', { 'gen_ai.operation.name': 'chat' }, async (span) => {
        const result = await make(request, onText);
        const { tier, outcome } = result;
        span.setAttributes({ 'assistant.tier': tier, 'assistant.outcome': outcome });
        metrics.answers.inc({ tier, outcome });
        return result;
      }),
  };
}
