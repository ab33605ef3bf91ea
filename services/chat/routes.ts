// The public HTTP interface of chat.
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { bucketName, bucketOf } from '@assistant-platform/kit/bucket';
import {
  answerOutcome,
  answerTier,
  clientId,
  conversationId,
  messageText,
} from '@assistant-platform/kit/conversation/entries';
import { asProblem } from '@assistant-platform/kit/http';
import type { Pod } from '@assistant-platform/kit/pod';
import { Problem, preferredLanguage, problemDetails } from '@assistant-platform/kit/problems';
import { bearerToken } from '@assistant-platform/kit/tokens';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { answerQuestion } from './answering.ts';
import type { AnswerHead, DoneEntry, Question } from './answering.ts';
import type { RequestsUnderWay } from './requests-under-way.ts';
import { serverSentEvent } from './server-sent-events.ts';

const place = z.object({ epoch: z.string(), offset: z.number() }).nullable();

const sessionAnswer = z.object({
  token: z.string().describe('Access token (JWT), valid for 15 minutes'),
  user: z.string().describe('The guest this token belongs to'),
  expiresAt: z.number().describe('Unix time in seconds'),
});

const messageBody = z.object({
  text: messageText.describe('What the person says'),
  clientId: clientId.optional().describe('Your own id of the message: sending it again gives the same answer'),
  maxTokens: z.number().int().min(1).max(4096).optional().describe('A shorter answer than the usual bound'),
});

const wholeAnswer = z.object({
  conversation: z.string(),
  message: place.describe('Where the message stands in the log; null when it could not be stored'),
  duplicate: z.boolean(),
  answer: z.object({
    id: z.string(),
    text: z.string(),
    tier: answerTier,
    degraded: z.boolean(),
    outcome: answerOutcome,
    stored: z.boolean(),
  }),
});

/** True when the client asks for one JSON document instead of a stream. */
const wantsJson = (accept: string | undefined) =>
  accept !== undefined && accept.includes('application/json') && !accept.includes('text/event-stream');

function setBucket(reply: FastifyReply, conversation: string): void {
  const bucket = bucketOf(conversation);
  void reply.header(bucketName, bucket);
  void reply.header('set-cookie', `${bucketName}=${bucket}; Path=/; Max-Age=604800; SameSite=Lax`);
}

/** Aborted when the client is gone before its answer is complete. */
function clientGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  // It may have left while its token was checked; its close has been told then.
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

const headOf = (conversation: string, head: AnswerHead) => ({
  conversation,
  answerId: head.answerId,
  message: head.position ?? null,
  duplicate: head.duplicate,
  flags: { 'new-memory': head.memory },
});

/** @param pod the parts behind the routes; undefined until the secrets are there */
export function addRoutes(app: FastifyInstance, pod: () => Pod | undefined, underWay: RequestsUnderWay): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const opened = (): Pod => {
    const now = pod();
    if (now === undefined) throw new Problem('not_ready', { retryAfterSeconds: 2 });
    return now;
  };
  const authenticate = async (request: FastifyRequest) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) throw new Problem('unauthorized');
    return await opened().tokens.verify(token);
  };

  typed.post(
    '/v1/sessions',
    { schema: { summary: 'A token for a new guest', tags: ['sessions'], response: { 201: sessionAnswer } } },
    async (_request, reply) => await reply.code(201).send(await opened().tokens.issueGuest()),
  );

  typed.post(
    '/v1/conversations/:id/messages',
    {
      schema: {
        summary: 'Sends a message; the answer is streamed as server-sent events, or is one document on request',
        description:
          'Events: meta (what is known at once), token (a piece of the answer), done (tier, degraded, outcome), ' +
          'error (problem details). Ids are EPOCH:OFFSET in the conversation log.',
        tags: ['conversations'],
        security: [{ bearer: [] }],
        params: z.object({ id: conversationId }),
        body: messageBody,
        response: { 200: wholeAnswer },
      },
    },
    async (request, reply) => {
      const identity = await authenticate(request);
      const parts = opened();
      const { id: conversation } = request.params;
      const { text, maxTokens, clientId: named } = request.body;
      setBucket(reply, conversation);
      const question: Question = {
        conversation,
        user: identity.user,
        clientId: named ?? randomUUID(),
        text,
        maxTokens,
      };
      const finished = underWay.begin();
      const gone = clientGone(reply);
      if (!wantsJson(request.headers.accept)) {
        stream(parts, question, request, reply, gone, finished);
        return reply;
      }
      try {
        return await reply.send(await whole(parts, question, gone));
      } finally {
        finished();
      }
    },
  );
}

/** The answer as one document. */
async function whole(pod: Pod, question: Question, gone: AbortSignal): Promise<z.output<typeof wholeAnswer>> {
  let head: AnswerHead | undefined;
  let end: { done: DoneEntry; stored: boolean } | undefined;
  const keepHead = (known: AnswerHead) => {
    head = known;
  };
  await answerQuestion(
    pod,
    question,
    keepHead,
    ({ entry, position }) => {
      if (entry.type === 'done') end = { done: entry, stored: position !== undefined };
    },
    gone,
  );
  const known = head;
  const ended = end;
  if (known === undefined || ended === undefined) throw new Error('an answer ended without its end');
  const { text, tier, degraded, outcome } = ended.done;
  return {
    conversation: question.conversation,
    message: known.position ?? null,
    duplicate: known.duplicate,
    answer: { id: known.answerId, text, tier, degraded, outcome, stored: ended.stored },
  };
}

/** The answer as events. Errors before the first event are HTTP errors; after it they are an `error` event. */
function stream(
  pod: Pod,
  question: Question,
  request: FastifyRequest,
  reply: FastifyReply,
  gone: AbortSignal,
  finished: () => void,
): void {
  const events = new PassThrough();
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    void reply
      .type('text/event-stream; charset=utf-8')
      .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    void reply.send(events);
  };
  answerQuestion(
    pod,
    question,
    (head) => {
      begin();
      events.write(serverSentEvent('meta', headOf(question.conversation, head), head.position));
    },
    ({ entry, position }) => {
      if (entry.type === 'token') events.write(serverSentEvent('token', { text: entry.text }, position));
      if (entry.type !== 'done') return;
      const { answerId, tier, degraded, outcome } = entry;
      const end = { answerId, tier, degraded, outcome, stored: position !== undefined };
      events.write(serverSentEvent('done', end, position));
    },
    gone,
  )
    .catch((error: unknown) => {
      if (!begun) {
        void reply.send(error);
        return;
      }
      const problem = asProblem(error);
      if (problem.code === 'internal') request.log.error({ err: error }, 'answer failed');
      const language = preferredLanguage(request.headers['accept-language']);
      events.write(serverSentEvent('error', problemDetails(problem, request.id, language)));
    })
    .finally(() => {
      events.end();
      finished();
    });
}
