// The program that takes a profile, beside a real busy process.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { inPodSource, type ProfileKind } from './in-pod.ts';

const BUSY = `
function fibonacci(n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
const kept = [];
function keepText() { kept.push('x'.repeat(10) + kept.length, new Array(1000).fill(kept.length)); }
setInterval(() => fibonacci(25), 5);
setInterval(keepText, 5);
console.log('ready');
`;

let busy: ChildProcess | undefined;
afterEach(() => busy?.kill());

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.each<[ProfileKind, string]>([
  ['cpu', 'fibonacci'],
  ['heap', 'keepText'],
])(
  '[R-259] a %s profile of a running process names the function that is to blame, and nothing listens afterwards',
  async (kind, blamed) => {
    const port = await freePort();
    busy = spawn(process.execPath, [`--inspect-port=127.0.0.1:${port}`, '--eval', BUSY]);
    await new Promise((resolve) => busy?.stdout?.once('data', resolve));
    const source = inPodSource({ kind, seconds: 1, pid: busy.pid ?? 0, port });
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source], {
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stdout).toContain(`"functionName":"${blamed}"`);
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port}/json`).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed');
    expect(busy.exitCode).toBeNull();
  },
);
