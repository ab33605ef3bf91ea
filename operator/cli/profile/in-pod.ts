// The program that takes a profile inside a container, given to its Node.js by `exec`. Nothing listens before: the signal that Node.js has for it opens
// the inspector on the container's loopback, and it closes again at the end (https://nodejs.org/api/debugger.html,
// https://chromedevtools.github.io/devtools-protocol/).

export const KINDS = ['cpu', 'heap'] as const;
/**
 * `cpu`: where time goes, a sample each millisecond. `heap`: what allocates the memory that is still held, by sampling. Neither has values of variables in
 * it, as a snapshot of the heap would.
 */
export type ProfileKind = (typeof KINDS)[number];

export interface ProfileOrder {
  readonly kind: ProfileKind;
  readonly seconds: number;
  /** Of the process in its container. */
  readonly pid: number;
  /** Of the inspector, on loopback. */
  readonly port: number;
}

/** What the Containers of the pod contract are: Node.js as the first process, with its usual inspector port. */
export const IN_CONTAINER = { pid: 1, port: 9229 } as const;

const CLOSE_AFTER_MS = 500;

/** Source of an ES module that prints the profile as JSON. */
export const inPodSource = (order: ProfileOrder): string => `
const { kind, seconds, pid, port } = ${JSON.stringify(order)};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
process.kill(pid, 'SIGUSR1');
const isOpen = () => fetch('http://127.0.0.1:' + port + '/json').then(() => true, () => false);
const target = await (async () => {
  for (let left = 50; ; left--) {
    try {
      return (await (await fetch('http://127.0.0.1:' + port + '/json')).json())[0];
    } catch (error) {
      if (left === 0) throw new Error('process ' + pid + ' has not opened its inspector on port ' + port, { cause: error });
      await wait(100);
    }
  }
})();
const socket = new WebSocket(target.webSocketDebuggerUrl);
await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
const asked = new Map();
let last = 0;
socket.onmessage = ({ data }) => {
  const { id, result, error } = JSON.parse(data);
  const { resolve, reject } = asked.get(id) ?? {};
  asked.delete(id);
  if (error) reject?.(new Error(error.message));
  else resolve?.(result);
};
const ask = (method, params = {}) => new Promise((resolve, reject) => {
  asked.set(++last, { resolve, reject });
  socket.send(JSON.stringify({ id: last, method, params }));
});
try {
  const [domain, start, stop] = kind === 'cpu'
    ? ['Profiler', 'start', 'stop']
    : ['HeapProfiler', 'startSampling', 'stopSampling'];
  await ask(domain + '.enable');
  await ask(domain + '.' + start);
  await wait(seconds * 1000);
  const { profile } = await ask(domain + '.' + stop);
  process.stdout.write(JSON.stringify(profile));
} finally {
  // Node.js 24 may crash when the inspector is closed under a session, so it closes when this one is long gone; and the end is waited for, because an
  // inspector that closes does not open again for the next order.
  const close = "setTimeout(() => process.getBuiltinModule('node:inspector').close(), ${CLOSE_AFTER_MS}).unref()";
  await ask('Runtime.evaluate', { expression: close });
  const gone = new Promise((resolve) => Object.assign(socket, { onclose: resolve }));
  socket.close();
  await gone;
  for (let left = 50; left > 0 && await isOpen(); left--) await wait(100);
}
`;
