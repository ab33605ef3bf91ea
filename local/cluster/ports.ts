// Free TCP ports on loopback, for instances that share the machine's network.
import { createServer } from 'node:net';
import type { Server } from 'node:net';

/** `count` different ports of 127.0.0.1 on which nobody listens at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held open until the last is found, or the same one could be given twice.
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i++) servers.push(await listen(0));
    return servers.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(servers.map(close));
  }
}

/** Does nobody listen on any of these ports of 127.0.0.1? */
export async function areFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    try {
      await close(await listen(port));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
      throw error;
    }
  }
  return true;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
