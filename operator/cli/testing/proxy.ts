// A TCP proxy on loopback in front of the API server, whose connections a test can cut.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy that runs. */
export interface Proxy {
  /** Address of the proxy, such as https://127.0.0.1:40000. */
  readonly server: string;
  /** Cuts all connections and refuses new ones until {@link mend}. */
  readonly cut: () => void;
  readonly mend: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a proxy to an https address. TLS passes through untouched. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let whole = true;
  const proxy = createServer((client) => {
    if (!whole) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      // A connection that breaks ends in `close` as well; that is what this proxy is for.
      socket.on('error', () => socket.destroy());
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    whole = false;
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    server: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    mend: () => {
      whole = true;
    },
    close: async () => {
      cut();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
