// The sidecar as the process it is, against an API server that answers well and badly.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority, issue } from '../../local/cluster/authority.ts';
import { freePort, startServer, type ServerProcess } from '../../test/servers/child-process.ts';

let folder: string;
let apiServer: Server;
let sidecar: ServerProcess;
let url: string;
let answer = { code: 200, body: '' };
const list = (...items: object[]) => ({ code: 200, body: JSON.stringify({ metadata: {}, items }) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pod-discovery-'));
  const authority = await createAuthority('test', new Date(), 1);
  const api = { commonName: 'api', use: 'server', ipAddresses: ['127.0.0.1'] } as const;
  const leaf = await issue(authority, api, new Date(), 1);
  await writeFile(join(folder, 'token'), 'a-token');
  await writeFile(join(folder, 'ca.crt'), authority.certificate);
  apiServer = createServer({ key: leaf.key, cert: leaf.certificate }, (_, response) => {
    response.writeHead(answer.code).end(answer.body);
  });
  await new Promise<void>((resolve) => apiServer.listen(0, '127.0.0.1', resolve));
  answer = list();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  sidecar = await startServer({
    name: 'pod-discovery',
    command: process.execPath,
    args: [join(import.meta.dirname, 'pod-discovery.mjs')],
    environment: {
      PORT: String(port),
      API_SERVER: `https://127.0.0.1:${(apiServer.address() as AddressInfo).port}`,
      SERVICE_ACCOUNT: folder,
    },
    isReady: () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
});
afterAll(async () => {
  await sidecar.stop();
  apiServer.closeAllConnections();
  apiServer.close();
  await rm(folder, { recursive: true });
});

const pod = {
  metadata: { namespace: 'ns', name: 'chat-1', annotations: { 'prometheus.io/scrape': 'true' } },
  status: { podIP: '10.0.0.7' },
};

it.each([
  ['text that is no JSON', { code: 200, body: '<html>' }],
  ['half of a list', { code: 200, body: '{"items":[' }],
  ['JSON that is no list', { code: 200, body: 'null' }],
  ['a refusal', { code: 403, body: 'forbidden' }],
])('%s from the API server is answered 503, and the next request as ever', async (_what, bad) => {
  answer = bad;
  expect((await fetch(`${url}/pods`)).status).toBe(503);
  answer = list(pod);
  const response = await fetch(`${url}//`);
  expect(await response.json()).toMatchObject([{ targets: ['10.0.0.7'] }]);
});
