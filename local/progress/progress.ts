/**
 * Progress of long work, for people at a terminal and for logs: several tasks may run at once, each with its elapsed
 * time and its last log line. A terminal gets a live region that redraws itself; anything else gets plain lines (on
 * start, on end, and every 30 s in between). A failed task says what failed, the last 15 lines of its log, where the
 * whole log is and how to go on.
 */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { cleanLine, type Look, renderEnded, renderFailure, renderLive, renderPlain, type TaskView } from './render.ts';

/** What the work inside a task may tell. */
export interface Task {
  /** Adds a line to the task's log; the last one is shown beside the task. Several lines in one string are split. */
  log(line: string): void;
  /** Replaces what is shown beside the task without adding to its log; the text stays when the task has ended. */
  status(text: string): void;
  /** The file that keeps the whole log, if this progress keeps logs. */
  readonly logFile: string | undefined;
}

/** How a task is told. */
export interface TaskOptions {
  /** About how long it takes, in seconds; shown while it runs. */
  readonly estimateSeconds?: number;
  /** What to do when it fails, in words. Default: the `remedy` of the progress. */
  readonly remedy?: string;
}

/** Shows tasks. Make one with {@link createProgress}; use {@link silentProgress} where nobody looks. */
export interface Progress {
  /**
   * Runs `work` as a named task and shows it until it settles. Tasks may run at the same time and inside each other.
   * @returns what `work` returns.
   * @throws whatever `work` throws, unchanged, after it was shown; {@link wasShown} then says true for it.
   */
  task<T>(name: string, options: TaskOptions, work: (task: Task) => Promise<T>): Promise<T>;
  /** Writes a line for the person, above the live region. */
  print(line: string): void;
  /** Ends the live region and closes the logs. Call it once, when no task runs any more. */
  close(): Promise<void>;
}

/** The terminal or file that progress writes to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Settings of {@link createProgress}; all have defaults for a command-line program. */
export interface ProgressOptions {
  /** Default: standard output. */
  readonly output?: Output;
  /** Default: `process.env`. `NO_COLOR`, `FORCE_COLOR`, `CI` and `TERM=dumb` are obeyed. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock that never goes back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Calls back every so many milliseconds until the returned function is called. Default: `setInterval`. */
  readonly every?: (milliseconds: number, callback: () => void) => () => void;
  /** Folder for one log file a task. Default: none are kept. */
  readonly logFolder?: string;
  /** What a person does after a failure. */
  readonly remedy?: string;
}

const TAIL_LINES = 15;
const REDRAW_MS = 120;
const STILL_MS = 30_000;

const shown = new WeakSet<object>();

/** Whether a progress has told the person about this error already, so that it need not be told again. */
export function wasShown(error: unknown): boolean {
  return typeof error === 'object' && error !== null && shown.has(error);
}

/** A progress that shows nothing and keeps nothing: errors alone tell what went wrong. */
export const silentProgress: Progress = {
  task: (_name, _options, work) => work({ log: () => undefined, status: () => undefined, logFile: undefined }),
  print: () => undefined,
  close: () => Promise.resolve(),
};

/** Makes the progress display of one program; see the head of this file for what it shows where. */
export function createProgress(options: ProgressOptions = {}): Progress {
  const env = options.env ?? process.env;
  const output = options.output ?? process.stdout;
  const live = output.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']);
  return new Display(output, live, wantsColour(env, live), options);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** See no-color.org: any non-empty value of NO_COLOR forbids. */
function wantsColour(env: Readonly<Record<string, string | undefined>>, live: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isSet(env['FORCE_COLOR']) || live;
}

class Display implements Progress {
  readonly #output: Output;
  readonly #live: boolean;
  readonly #colour: boolean;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #running = new Set<RunningTask>();
  readonly #logs = new Set<Promise<void>>();
  #drawn = 0;
  #frame = 0;
  #stopTimer: (() => void) | undefined;

  constructor(output: Output, live: boolean, colour: boolean, options: ProgressOptions) {
    this.#output = output;
    this.#live = live;
    this.#colour = colour;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  async task<T>(name: string, options: TaskOptions, work: (task: Task) => Promise<T>): Promise<T> {
    const task = new RunningTask(name, options, this.#now(), this.#options.logFolder);
    this.#begin(task);
    try {
      const result = await work(task);
      this.#end(task, renderEnded(this.#view(task, 'done'), this.#look()));
      return result;
    } catch (error) {
      this.#end(task, ...this.#failure(task, error));
      if (typeof error === 'object' && error !== null) shown.add(error);
      throw error;
    } finally {
      this.#logs.add(task.closeLog());
    }
  }

  print(line: string): void {
    this.#write([line]);
  }

  async close(): Promise<void> {
    this.#write([], false);
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    await Promise.all(this.#logs);
  }

  #begin(task: RunningTask): void {
    this.#running.add(task);
    const every = this.#options.every ?? interval;
    this.#stopTimer ??= every(this.#live ? REDRAW_MS : 1000, () => this.#tick());
    this.#write(this.#live ? [] : [renderPlain(this.#view(task, 'running'), 'start', this.#look())]);
  }

  #end(task: RunningTask, ...lines: string[]): void {
    this.#running.delete(task);
    if (this.#running.size === 0) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    }
    this.#write(lines);
  }

  #tick(): void {
    this.#frame += 1;
    if (this.#live) {
      this.#write([]);
      return;
    }
    const now = this.#now();
    for (const task of this.#running) {
      if (now - task.lastToldMs < STILL_MS) continue;
      task.lastToldMs = now;
      this.#write([renderPlain(this.#view(task, 'running'), 'still', this.#look())]);
    }
  }

  #failure(task: RunningTask, error: unknown): string[] {
    const view: TaskView = { ...this.#view(task, 'failed'), detail: undefined };
    const head = renderEnded(view, this.#look());
    if (wasShown(error)) return [head];
    const details = renderFailure(
      {
        message: error instanceof Error ? error.message : String(error),
        tail: task.tail,
        logFile: task.logFile,
        remedy: task.options.remedy ?? this.#options.remedy,
      },
      this.#look(),
    );
    return [head, ...details];
  }

  #view(task: RunningTask, phase: TaskView['phase']): TaskView {
    return {
      name: task.name,
      phase,
      elapsedMs: this.#now() - task.startMs,
      estimateSeconds: task.options.estimateSeconds,
      detail: phase === 'running' ? task.detail : task.statusText,
    };
  }

  #look(): Look {
    return { colour: this.#colour, width: this.#output.columns ?? 80 };
  }

  /** Writes lines that stay, and below them the live region anew, in one write so that nothing flickers. */
  #write(lines: readonly string[], redraw = true): void {
    if (!this.#live) {
      if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
      return;
    }
    const room = Math.max(1, (this.#output.rows ?? 24) - 2);
    const region = redraw
      ? [...this.#running]
          .slice(-room)
          .map((task) => renderLive(this.#view(task, 'running'), this.#frame, this.#look()))
      : [];
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '';
    const text = `${back}\r\u001b[J${[...lines, ...region].map((line) => `${line}\n`).join('')}`;
    if (this.#drawn > 0 || lines.length > 0 || region.length > 0) this.#output.write(text);
    this.#drawn = region.length;
  }
}

class RunningTask implements Task {
  readonly name: string;
  readonly options: TaskOptions;
  readonly startMs: number;
  readonly logFile: string | undefined;
  readonly tail: string[] = [];
  lastToldMs: number;
  statusText: string | undefined;
  #lastLine: string | undefined;
  #stream: WriteStream | undefined;

  constructor(name: string, options: TaskOptions, startMs: number, logFolder: string | undefined) {
    this.name = name;
    this.options = options;
    this.startMs = startMs;
    this.lastToldMs = startMs;
    this.logFile = logFolder === undefined ? undefined : join(logFolder, `${slug(name)}.log`);
    if (logFolder !== undefined) mkdirSync(logFolder, { recursive: true });
  }

  get detail(): string | undefined {
    return this.#lastLine ?? this.statusText;
  }

  log(text: string): void {
    for (const raw of text.split('\n')) {
      const line = cleanLine(raw);
      if (line === '') continue;
      this.tail.push(line);
      if (this.tail.length > TAIL_LINES) this.tail.shift();
      this.#lastLine = line;
      this.#append(line);
    }
  }

  status(text: string): void {
    this.statusText = text;
    this.#lastLine = undefined;
  }

  /** Resolves when the log is on disk. */
  closeLog(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return Promise.resolve();
    return new Promise((resolve) => stream.end(() => resolve()));
  }

  #append(line: string): void {
    if (this.logFile === undefined) return;
    if (this.#stream === undefined) {
      this.#stream = createWriteStream(this.logFile);
      // A full disk must not end the work whose log it is; the last lines are kept in memory and shown.
      this.#stream.on('error', (error) => (this.statusText = `log not written: ${error.message}`));
    }
    this.#stream.write(`${line}\n`);
  }
}

/** A file name for a task's log. */
function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

function interval(milliseconds: number, callback: () => void): () => void {
  const timer = setInterval(callback, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
