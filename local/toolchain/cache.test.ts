import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheRoot, ensureFolder, hasUnfinished } from './cache.ts';
import { withFileLock, withFileLockIfFree } from './lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const visible = async () => (await readdir(folder)).filter((name) => !name.startsWith('.'));

describe('cacheRoot', () => {
  it('follows the XDG specification', () => {
    expect(cacheRoot({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/assistant-platform');
    expect(cacheRoot({ XDG_CACHE_HOME: 'relative' })).toMatch(/^\/.*\/\.cache\/assistant-platform$/);
    expect(cacheRoot({})).toMatch(/\/\.cache\/assistant-platform$/);
  });
});

describe('ensureFolder', () => {
  it('makes a folder once, however many ask at the same time', async () => {
    let made = 0;
    const fill = async (path: string) => {
      made += 1;
      await writeFile(join(path, 'content'), 'x');
    };
    const target = join(folder, 'thing-abc');
    const answers = await Promise.all([1, 2, 3].map(() => ensureFolder(target, fill)));
    expect(answers).toEqual([target, target, target]);
    expect(made).toBe(1);
    expect(await readFile(join(target, 'content'), 'utf8')).toBe('x');
  });

  it('leaves nothing behind that looks complete when filling fails, and tries again the next time', async () => {
    const target = join(folder, 'thing-abc');
    const failing = ensureFolder(target, async (path) => {
      await writeFile(join(path, 'half'), 'x');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(await visible()).toEqual([]);
    await ensureFolder(target, (path) => writeFile(join(path, 'whole'), 'x'));
    expect(await readdir(target)).toEqual(['whole']);
  });

  it('removes what a killed process left', async () => {
    const target = join(folder, 'thing-abc');
    const script = `
      import { ensureFolder } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))};
      import { writeFileSync } from 'node:fs';
      await ensureFolder(${JSON.stringify(target)}, async (path) => {
        writeFileSync(path + '/half', 'x');
        console.log('half');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await hasUnfinished(folder)).toBe(true);
    // The lock went with the process, so this does not wait.
    await ensureFolder(target, (path) => writeFile(join(path, 'whole'), 'x'));
    expect(await hasUnfinished(folder)).toBe(false);
    expect(await readdir(target)).toEqual(['whole']);
  });
});

describe('withFileLock', () => {
  it('lets one in at a time, and tells who has to wait', async () => {
    const lock = join(folder, 'lock');
    const order: string[] = [];
    let waited = 0;
    let release: () => void = () => undefined;
    const first = new Promise<void>((entered) => {
      void withFileLock(lock, 'exclusive', {}, async () => {
        entered();
        await new Promise<void>((resolve) => (release = resolve));
        order.push('first');
      });
    });
    await first;
    const second = withFileLock(
      lock,
      'exclusive',
      {
        onWait: () => {
          waited += 1;
          release();
        },
      },
      () => Promise.resolve(order.push('second')),
    );
    await second;
    expect(order).toEqual(['first', 'second']);
    expect(waited).toBe(1);
  });

  it('lets many share, and keeps an exclusive one out meanwhile', async () => {
    const lock = join(folder, 'lock');
    await withFileLock(lock, 'shared', {}, () =>
      withFileLock(lock, 'shared', {}, async () => {
        expect(await withFileLockIfFree(lock, 'exclusive', () => Promise.resolve())).toBe(false);
      }),
    );
    let ran = false;
    const got = await withFileLockIfFree(lock, 'exclusive', () => {
      ran = true;
      return Promise.resolve();
    });
    expect([got, ran]).toEqual([true, true]);
  });

  it('is free again when the work fails', async () => {
    const lock = join(folder, 'lock');
    await expect(withFileLock(lock, 'exclusive', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withFileLockIfFree(lock, 'exclusive', () => Promise.resolve())).toBe(true);
  });
});
