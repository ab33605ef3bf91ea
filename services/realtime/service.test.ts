// The whole service in this process, without Redis: it is ready without, and handshakes need none.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRealtime } from './service.ts';
import { readRealtimeSettings } from './settings.ts';
import { openSocket } from './test-sockets.ts';

test('[R-306] a socket whose token is being checked when the drain begins is refused like all that come later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'realtime-'));
  const secrets = join(folder, 'secrets.json');
  await writeFile(secrets, JSON.stringify({ tokenSigningKey: Buffer.alloc(32, 1).toString('base64') }));
  const environment = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' };
  const service = await startRealtime(
    readRealtimeSettings({ ...environment, SECRETS_FILE: secrets, LOG_LEVEL: 'silent' }),
  );
  const { token } = await (await service.ready).tokens.issueGuest('anna');
  const { port } = service.app.server.address() as AddressInfo;
  // Asked second, so after the service has begun with this handshake, and before it can have looked at the signature.
  service.app.server.on('upgrade', () => service.hub.drain({ deadlineSeconds: 600, closePerSecond: 50 }));
  await expect(openSocket(`ws://127.0.0.1:${port}/ws`, { token })).rejects.toThrow(/^503 .*"code":"draining"/);
  expect(service.hub.size()).toBe(0);
  for (const { run } of service.stopSteps()) await run();
  await rm(folder, { recursive: true });
});
