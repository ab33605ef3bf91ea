// The admin port of the pods (GET /sessions, POST /drain) as a fetch function over the simulated network.
import { pods } from '@assistant-platform/runtime';
import type { CallInfo, Network } from '../server/network.ts';
import type { ProcessClock } from '../server/process-clock.ts';
import type { ApiServer } from '../server/server.ts';
import type { Sessions } from './sessions.ts';

/** Give it to PodsClient as `address`. */
export const POD_ADDRESS = 'http://pods/{namespace}/{pod}';

/** As PodsClient's own limit, but on the simulated clock. */
const TIMEOUT_MS = 1500;

export interface AdminPortsOptions {
  readonly server: ApiServer;
  readonly sessions: Sessions;
  readonly clock: ProcessClock;
  readonly network: Network;
  /** Name of the process that asks. */
  readonly client: string;
  readonly onDeath: () => void;
}

/** The fetch function of one process. Signals are not heard: time-outs come on the simulated clock. */
export function adminPorts(options: AdminPortsOptions): typeof fetch {
  const { server, sessions, clock, network, client } = options;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve));
  const never = (): Promise<never> => {
    options.onDeath();
    return new Promise<never>(() => undefined);
  };
  return async (input) => {
    const [, namespace = '', name = '', what = ''] = new URL(
      input instanceof Request ? input.url : input,
    ).pathname.split('/');
    const verb = what === 'drain' ? 'drain' : 'sessions';
    const call: CallInfo = { client, verb, resource: 'admin-port', ref: { namespace, name }, writes: verb === 'drain' };
    await wait(network.latency(call));
    const mishap = network.mishap(call);
    if (mishap?.kind === 'ClientDies' && mishap.when === 'Before') return never();
    if (mishap?.kind === 'RequestLost') {
      await wait(TIMEOUT_MS);
      throw new DOMException('no answer in time', 'TimeoutError');
    }
    if (mishap?.kind === 'Refused') return answer(503, {});
    const uid = server.find(pods, { namespace, name })?.metadata.uid ?? '';
    const pod = sessions.of(uid);
    if (pod === undefined) throw new TypeError('fetch failed', { cause: new Error('no route to host') });
    if (pod.image.includes('without-admin-port')) throw refused();
    if (verb === 'drain') sessions.drain(uid);
    const { open, busy, draining } = pod;
    if (mishap?.kind === 'ClientDies') return never();
    await wait(mishap?.kind === 'AnswerLost' ? TIMEOUT_MS : network.latency(call));
    if (mishap?.kind === 'AnswerLost') throw new DOMException('no answer in time', 'TimeoutError');
    return verb === 'drain' ? answer(202, {}) : answer(200, { open, busy, oldestSeconds: 1, draining });
  };
}

const refused = (): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }) });

/** Response whose body is no stream: that would take turns of the real event loop. */
const answer = (status: number, body: object): Response =>
  ({
    status,
    ok: status < 300,
    body: {
      async *[Symbol.asyncIterator]() {
        yield await Promise.resolve(Buffer.from(JSON.stringify(body)));
      },
      cancel: () => Promise.resolve(),
    },
  }) as unknown as Response;
