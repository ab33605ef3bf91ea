import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandError, commandLine, runCommand } from './command.ts';

describe('runCommand', () => {
  it('returns standard output and tells every line of both streams', async () => {
    const lines: string[] = [];
    const output = await runCommand('sh', ['-c', 'echo one; echo two >&2; printf three'], {
      onLine: (line) => lines.push(line),
    });
    expect(output).toBe('one\nthree');
    expect(lines.sort()).toEqual(['one', 'three', 'two']);
  });

  it('throws with status, command and the last lines when a program fails', async () => {
    const failing = runCommand('sh', ['-c', 'for i in $(seq 1 40); do echo line $i; done; exit 3']);
    const error = await failing.catch((caught: unknown) => caught);
    if (!(error instanceof CommandError)) throw new Error(`not a CommandError: ${String(error)}`);
    expect(error.status).toBe(3);
    expect(error.message).toMatch(/^sh -c .* ended with status 3: line 40$/);
    expect(error.tail).toEqual(Array.from({ length: 15 }, (_, index) => `line ${index + 26}`));
  });

  it('says which program is not there', async () => {
    await expect(runCommand('no-such-program', [])).rejects.toThrow('Cannot start no-such-program');
  });

  it('ends the program and what it started when aborted', async () => {
    const controller = new AbortController();
    const running = runCommand('sh', ['-c', 'sleep 60 & echo $!; wait'], {
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    await expect(running).rejects.toThrow('was ended by SIGTERM');
  });

  it('ends the program when the process is told to end', async () => {
    const script = `
      import { runCommand } from ${JSON.stringify(join(import.meta.dirname, 'command.ts'))};
      await runCommand('sh', ['-c', 'echo $$; exec sleep 60'], { onLine: (line) => console.log(line) });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGTERM');
    const [status, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect([status, signal]).toEqual([null, 'SIGTERM']);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('gives the variables it was asked to, and takes away those that are undefined', async () => {
    const env = { WANTED: 'yes', HOME: undefined };
    expect(await runCommand('sh', ['-c', 'echo "$WANTED ${HOME-none}"'], { env })).toBe('yes none');
  });
});

describe('commandLine', () => {
  it('quotes what needs it and shortens what is long', () => {
    expect(commandLine('go', ['build', '-ldflags', '-s -w'])).toBe('go build -ldflags "-s -w"');
    expect(commandLine('go', ['x'.repeat(500)]).length).toBeLessThan(160);
  });
});

/** An orphan that has ended stays as a zombie until process 1 collects it, which may take a while in a container. */
function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : undefined;
  return stat !== undefined && !/\) Z /.test(stat);
}
