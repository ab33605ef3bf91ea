// A bug for the demonstration: the handler of every tenth message fails, the service answers 500 and counts it, as it
// would with a bug of its own. Fastify announces each handler on a tracing channel of node:diagnostics_channel; for the
// chosen requests the body turns into something that throws when the handler reads it.
import { subscribe } from 'node:diagnostics_channel';

const EVERY = 10;
const MESSAGES = /^\/v1\/conversations\/[^/]+\/messages$/;
let seen = 0;

subscribe('tracing:fastify.request.handler:start', ({ request }) => {
  const path = request.url.split('?', 1)[0];
  if (request.method !== 'POST' || !MESSAGES.test(path)) return;
  seen += 1;
  if (seen % EVERY !== 0) return;
  Object.defineProperty(request, 'body', {
    get() {
      throw new Error('the answer template of release 1.3.0 has no entry for this message');
    },
  });
});
