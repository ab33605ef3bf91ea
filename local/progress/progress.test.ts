import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProgress, type ProgressOptions, silentProgress, type Task, wasShown } from './progress.ts';

/** A terminal that remembers what was written, and a clock that only the test moves. */
class Stage {
  readonly written: string[] = [];
  readonly columns = 60;
  readonly rows = 10;
  isTTY = false;
  time = 0;
  #tick: (() => void) | undefined;

  write(text: string): void {
    this.written.push(text);
  }

  get text(): string {
    return this.written.join('');
  }

  options(more: ProgressOptions = {}): ProgressOptions {
    return {
      output: this,
      env: {},
      now: () => this.time,
      every: (_milliseconds, callback) => {
        this.#tick = callback;
        return () => (this.#tick = undefined);
      },
      ...more,
    };
  }

  /** Lets time pass in steps of a second, as the timer of plain output does. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      this.time += 1000;
      this.#tick?.();
    }
  }

  get ticks(): boolean {
    return this.#tick !== undefined;
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

/** A task that runs until the test ends it. */
function held(): {
  work: (task: Task) => Promise<string>;
  task: () => Task;
  finish: () => void;
  fail: (error: Error) => void;
} {
  let current: Task | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    work: (task) => {
      current = task;
      return promise;
    },
    task: () => {
      if (current === undefined) throw new Error('The task has not begun.');
      return current;
    },
    finish: () => resolve('result'),
    fail: reject,
  };
}

describe('plain output', () => {
  it('writes a line on start, one every 30 s with the last log line, and one at the end', async () => {
    const progress = createProgress(stage.options());
    const work = held();
    const done = progress.task('compile etcd', { estimateSeconds: 60 }, work.work);
    work.task().log('building package 7');
    stage.pass(65);
    work.finish();
    expect(await done).toBe('result');
    expect(stage.text.split('\n')).toEqual([
      '> compile etcd  (about 60 s)',
      '. compile etcd  30 s of about 60 s  building package 7',
      '. compile etcd  1 min 00 s of about 60 s  building package 7',
      '✓ compile etcd  1 min 05 s',
      '',
    ]);
    expect(stage.ticks).toBe(false);
  });

  it('is what CI and dumb terminals get, terminal or not', () => {
    stage.isTTY = true;
    for (const env of [{ CI: 'true' }, { TERM: 'dumb' }]) {
      void createProgress(stage.options({ env })).task('work', {}, () => Promise.resolve());
      expect(stage.text).not.toContain('\u001b[');
    }
  });
});

describe('a failure', () => {
  it('tells what failed, the last 15 log lines, where the whole log is and how to go on, once', async () => {
    const progress = createProgress(stage.options({ remedy: 'run npm start again.' }));
    const error = new Error('go build ended with status 1');
    const work = held();
    const outer = progress.task('everything', {}, () => progress.task('compile etcd', {}, work.work));
    for (let line = 1; line <= 20; line += 1) work.task().log(`line ${line}`);
    work.fail(error);
    await expect(outer).rejects.toBe(error);
    expect(stage.text).toContain('✗ compile etcd');
    expect(stage.text).toContain('✗ everything');
    expect(stage.text.match(/go build ended with status 1/g)).toHaveLength(1);
    expect(stage.text).toContain('| line 6\n');
    expect(stage.text).not.toContain('| line 5\n');
    expect(stage.text).toContain('To go on:   run npm start again.');
    expect(wasShown(error)).toBe(true);
    expect(wasShown(new Error('another'))).toBe(false);
  });
});

describe('a terminal', () => {
  beforeEach(() => {
    stage.isTTY = true;
  });

  it('redraws the running tasks in place, and leaves a line for each that ended above them', async () => {
    const progress = createProgress(stage.options({ env: { NO_COLOR: '1' } }));
    const [first, second] = [held(), held()];
    const one = progress.task('one', {}, first.work);
    const two = progress.task('two', {}, second.work);
    stage.pass(3);
    expect(stage.written.at(-1)).toContain('\u001b[2A');
    expect(stage.written.at(-1)).toMatch(/one {2}3\.0 s\n.*two {2}3\.0 s\n$/);
    first.finish();
    await one;
    expect(stage.written.at(-1)).toMatch(/✓ one {2}3\.0 s\n.*two {2}3\.0 s\n$/);
    progress.print('a note');
    expect(stage.written.at(-1)).toMatch(/\u001b\[1A\r\u001b\[Ja note\n.*two/);
    second.finish();
    await two;
    await progress.close();
    expect(stage.ticks).toBe(false);
  });

  it('never draws more tasks than the window has lines, and no line that would wrap', () => {
    const progress = createProgress(stage.options({ env: { NO_COLOR: '1' } }));
    for (let index = 0; index < 20; index += 1) {
      const work = held();
      void progress.task(`a task with quite a long name, number ${index}`, { estimateSeconds: 600 }, work.work);
      work.task().log('and a last line of its log that is much longer than the window is wide'.repeat(3));
    }
    stage.pass(1);
    const lines = (stage.written.at(-1) ?? '')
      .replace(/^\u001b\[\d+A\r\u001b\[J/, '')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThanOrEqual(stage.rows - 2);
    for (const line of lines) expect(line.length).toBeLessThan(stage.columns);
  });
});

describe('colour', () => {
  const run = async (env: Record<string, string>, isTTY: boolean) => {
    stage.isTTY = isTTY;
    await createProgress(stage.options({ env })).task('work', {}, () => Promise.resolve());
    return stage.text.includes('\u001b[32m');
  };

  it('is used on a terminal, unless NO_COLOR forbids it', async () => {
    expect(await run({}, true)).toBe(true);
  });

  it('is not used with NO_COLOR', async () => {
    expect(await run({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
  });

  it('is used in a file only with FORCE_COLOR', async () => {
    expect(await run({}, false)).toBe(false);
    expect(await run({ FORCE_COLOR: '1' }, false)).toBe(true);
  });
});

describe('logs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'progress-test-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('are kept whole in a file for each task, named where the task failed', async () => {
    const progress = createProgress(stage.options({ logFolder: join(folder, 'logs') }));
    const failing = progress.task('compile etcd 3.6', {}, (task) => {
      for (let line = 1; line <= 20; line += 1) task.log(`line ${line}`);
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    await progress.close();
    const file = join(folder, 'logs/compile-etcd-3.6.log');
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(21);
    expect(stage.text).toContain(`Whole log:  ${file}`);
  });
});

describe('silentProgress', () => {
  it('runs the work and shows nothing', async () => {
    expect(await silentProgress.task('work', {}, () => Promise.resolve(7))).toBe(7);
  });
});
