// Requests to chat as its tests make them.

export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export async function guestToken(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/sessions`, { method: 'POST' });
  if (answer.status !== 201) throw new Error(`POST /v1/sessions: ${answer.status}`);
  return ((await answer.json()) as { token: string }).token;
}

export async function ask(
  url: string,
  token: string,
  conversation: string,
  body: object,
  accept = 'text/event-stream',
  signal?: AbortSignal,
): Promise<Response> {
  return await fetch(`${url}/v1/conversations/${conversation}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** All events of an answer, until its end. */
export async function readEvents(answer: Response): Promise<ServerSentEvent[]> {
  const text = await answer.text();
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
      );
      const data = JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown>;
      return { id: fields.get('id'), event: fields.get('event') ?? 'message', data };
    });
}
