// A client on a scripted server, and the error that a promise ends with.
import type { ApiClientOptions } from '../client/api-client.ts';
import { ApiClient } from '../client/api-client.ts';
import { ScriptedServer } from './scripted-server.ts';

/** Runs the test with a scripted server and a client of it, and closes both. */
export const withServer = async (
  test: (server: ScriptedServer, client: ApiClient) => Promise<void>,
  options: Partial<ApiClientOptions> = {},
) => {
  await using server = await ScriptedServer.start();
  const client = new ApiClient({ connection: server.connection, fieldManager: 'tester', ...options });
  try {
    await test(server, client);
  } finally {
    client.close();
  }
};

/** A connection to the server that has new credentials when it is asked to read them anew, and what it was asked. */
export const renewable = async (server: ScriptedServer) => {
  const { server: url } = await server.connection.endpoint();
  const asked: (boolean | undefined)[] = [];
  const endpoint = (refresh?: boolean) => {
    asked.push(refresh);
    return Promise.resolve({ server: url, tls: {}, headers: { authorization: refresh ? 'Bearer new' : 'Bearer old' } });
  };
  return { connection: { endpoint }, asked };
};

/** What the promise is rejected with. @throws Error when it is not. */
export const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};
