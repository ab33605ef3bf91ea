// `sockets` against a real API server and real admin ports: the API server's pod proxy leads to servers of this test.
import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { LABELS } from '@assistant-platform/api';
import { afterAll, describe, expect, test } from 'vitest';
import { at, command, create, kubectl, namespace, ownNamespaces, place } from './testing/cluster.ts';

ownNamespaces();

/** The API server refuses to proxy to loopback: the servers listen on this machine's own address, which no packet leaves. */
const own = Object.values(networkInterfaces())
  .flat()
  .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** A pod that runs, whose admin port answers so. */
async function podThatSays(
  assistant: string,
  component: string,
  revision: string,
  answer: { readonly code: number; readonly body: unknown } | null,
): Promise<void> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/sessions' ? (answer?.code ?? 404) : 404, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(answer?.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, own, resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  // Nobody listens there any more.
  if (answer === null) server.close();
  const name = `${assistant}-${component}-${revision}-${port}`;
  const labels = { [LABELS.name]: assistant, [LABELS.component]: component, [LABELS.revision]: revision };
  await create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      // No node: nobody but this test says how the pod is.
      schedulerName: 'nobody',
      containers: [{ name: component, image: 'x', ports: [{ name: 'admin', containerPort: port }] }],
    },
  });
  const status = { phase: 'Running', podIP: own, podIPs: [{ ip: own }] };
  await kubectl(
    'patch',
    'pod',
    name,
    '-n',
    namespace,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  );
}

const says = (open: number, busy: number, oldestSeconds: number, draining = false) => ({
  code: 200,
  body: { open, busy, oldestSeconds, draining },
});

describe.skipIf(own === undefined)('[R-307] sockets', () => {
  test('adds up what the pods say at this moment', async () => {
    await place('asked', 'aborted');
    await podThatSays('asked', 'realtime', '6c9f7d', says(400, 3, 5_400));
    await podThatSays('asked', 'realtime', '6c9f7d', says(12, 0, 7_300));
    await podThatSays('asked', 'realtime', '8d1b2a', says(5, 1, 90, true));
    await podThatSays('asked', 'chat', '6c9f7d', null);
    const { out, code, err } = await command(['sockets', 'asked', ...at]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`asked in ${namespace}: 417 open sessions, of these 5 on revisions that leave`);
    expect(out).toMatch(/^6c9f7d +1.0.0 +stable +realtime +2 +412 +3 +2h1m +-$/m);
    expect(out).toMatch(/^8d1b2a +1.1.0 +draining +realtime +1 +5 +1 +1m30s/m);
    expect(out).toMatch(/^asked-chat-6c9f7d-\d+ has no admin port/m);
    const json = JSON.parse((await command(['sockets', 'asked', ...at, '-o', 'json'])).out) as unknown;
    expect(json).toMatchObject({
      source: 'Pods',
      rows: [{ component: 'chat' }, { open: 412 }, { role: 'draining', open: 5 }],
    });
  });

  test('says which pod gives no answer of the contract', async () => {
    await place('odd', 'healthy');
    await podThatSays('odd', 'realtime', '6c9f7d', { code: 200, body: { sockets: 3 } });
    await podThatSays('odd', 'realtime', '6c9f7d', { code: 500, body: {} });
    const { out } = await command(['sockets', 'odd', ...at]);
    expect(out).toMatch(
      /^odd-realtime-6c9f7d-\d+ did not say: the pod answered something that is not of the pod contract$/m,
    );
    expect(out).toMatch(/^odd-realtime-6c9f7d-\d+ did not say: the pod answered 500$/m);
    expect(out).toMatch(/realtime +0\/2 /);
  });
});
