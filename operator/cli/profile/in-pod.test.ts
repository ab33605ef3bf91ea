// The program that takes a profile, beside a real busy process.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../../test/servers/child-process.ts';
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

/** A busy process, and how to take profiles of it. */
async function subject() {
  const port = await freePort();
  const process_ = spawn(process.execPath, [`--inspect-port=127.0.0.1:${port}`, '--eval', BUSY]);
  busy = process_;
  await new Promise((resolve) => process_.stdout.once('data', resolve));
  const take = async (kind: ProfileKind, seconds: number): Promise<string> => {
    const source = inPodSource({ kind, seconds, pid: process_.pid ?? 0, port });
    const order = ['--input-type=module', '--eval', source];
    return (await promisify(execFile)(process.execPath, order, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  };
  const listens = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/json`).then(
      () => true,
      () => false,
    );
  return { take, listens, ended: () => process_.exitCode !== null || process_.signalCode !== null };
}

it.each<[ProfileKind, string]>([
  ['cpu', 'fibonacci'],
  ['heap', 'keepText'],
])(
  '[R-259] a %s profile of a running process names the function that is to blame, and nothing listens afterwards',
  async (kind, blamed) => {
    const { take, listens, ended } = await subject();
    expect(await take(kind, 1)).toContain(`"functionName":"${blamed}"`);
    expect(await listens()).toBe(false);
    expect(ended()).toBe(false);
  },
);

it('[R-259] profile upon profile leaves the process alive', async () => {
  const { take, ended } = await subject();
  for (let count = 0; count < 8; count++) await take(count % 2 === 0 ? 'cpu' : 'heap', 0.1);
  expect(ended()).toBe(false);
});
