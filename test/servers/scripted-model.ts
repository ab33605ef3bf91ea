// An OpenAI-compatible model that does what a test says: so many tokens, so slowly, broken off there. For faults only;
// that the services work with a real model is tested with the model service.
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface Script {
  /** Pieces of the answer; `{question}` stands for what was asked. */
  tokens: string[];
  /** Milliseconds before each piece. */
  everyMs: number;
  /** Destroys the connection after so many pieces. */
  breakAfter?: number | undefined;
  /** Breaks off in every nth request only: a breaker opens when all fail. Default: in every one. */
  breakEvery?: number | undefined;
  /** Falls silent after so many pieces, with the connection open. */
  silentAfter?: number | undefined;
  /** Answers with this status instead. */
  status?: number | undefined;
}

export interface ScriptedModel {
  /** Ends in /v1. */
  readonly url: string;
  /** Change it between requests. */
  script: Script;
  /** The messages of each request so far. */
  readonly requests: { role: string; content: string }[][];
  /** Their headers. */
  readonly headers: IncomingHttpHeaders[];
  /** Requests whose caller hung up before the end. */
  readonly hangUps: () => number;
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<{ messages: { role: string; content: string }[] }> {
  let body = '';
  for await (const bytes of request) body += String(bytes);
  return JSON.parse(body) as { messages: { role: string; content: string }[] };
}

export async function startScriptedModel(): Promise<ScriptedModel> {
  let hangUps = 0;
  const state = {
    script: { tokens: ['You ', 'asked: ', '{question}'], everyMs: 0 } as Script,
    headers: [] as IncomingHttpHeaders[],
    requests: [] as { role: string; content: string }[][],
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { messages } = await readBody(request);
    const { script } = state;
    state.requests.push(messages);
    state.headers.push(request.headers);
    const breaks = state.requests.length % (script.breakEvery ?? 1) === 0;
    if (script.status !== undefined) {
      response.writeHead(script.status).end('{"error":"as the script says"}');
      return;
    }
    let gone = false;
    response.once('close', () => {
      if (response.writableFinished) return;
      gone = true;
      if (script.breakAfter === undefined) hangUps += 1;
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (part: object) => response.write(`data: ${JSON.stringify(part)}\n\n`);
    for (const [index, token] of script.tokens.entries()) {
      if (index === script.silentAfter) return;
      if (script.everyMs > 0) await wait(script.everyMs);
      if (breaks && index === script.breakAfter) {
        response.destroy();
        return;
      }
      if (isGone()) return;
      const content = token.replace('{question}', messages.at(-1)?.content ?? '');
      send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
    }
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    send({ choices: [], usage: { prompt_tokens: 10, completion_tokens: script.tokens.length } });
    response.end('data: [DONE]\n\n');
    function isGone() {
      return gone;
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/v1`,
    hangUps: () => hangUps,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
