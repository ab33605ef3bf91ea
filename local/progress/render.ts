/**
 * How the progress of long work looks: pure functions from the state of tasks to lines of text. No clock, no terminal:
 * both come in as arguments, so that every look can be tested.
 */
import { createColors } from 'picocolors';

/** Where a task stands. */
export type TaskPhase = 'running' | 'done' | 'failed';

/** All that a line about a task shows. */
export interface TaskView {
  readonly name: string;
  readonly phase: TaskPhase;
  /** Milliseconds since the task began; for an ended task, how long it took. */
  readonly elapsedMs: number;
  /** What a person was promised, in seconds; shown while the task runs. */
  readonly estimateSeconds?: number | undefined;
  /** The last line of the task's log, or its own word on what it does. */
  readonly detail?: string | undefined;
}

/** What the terminal can do. */
export interface Look {
  readonly colour: boolean;
  /** Columns; a line of the live region is cut there, since a wrapped line cannot be redrawn. */
  readonly width: number;
}

/** `7 s`, `3 min 05 s`, `1 h 02 min`; tenths below ten seconds. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `about 5 min` or `about 40 s`: how an estimate is told; seconds are rounded to tens, since nobody knows better. */
export function formatEstimate(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(10, Math.round(seconds / 10) * 10)} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

/** Escape sequences that a tool wrote for its own terminal: colours, cursor moves, titles. */
const ESCAPES = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/**
 * A line as it may be shown inside ours: without escape sequences and control characters, and of a text that redraws
 * itself with carriage returns only the last state.
 */
export function cleanLine(line: string): string {
  const plain = line.replace(ESCAPES, '').replace(/\r+$/, '');
  const last = plain.slice(plain.lastIndexOf('\r') + 1);
  return last.replace(/[\u0000-\u001f\u007f]/g, ' ').trimEnd();
}

/** Cuts a line without escapes to a number of columns, marking the cut. */
export function cut(line: string, width: number): string {
  if (line.length <= width) return line;
  return width <= 1 ? line.slice(0, Math.max(width, 0)) : `${line.slice(0, width - 1)}…`;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** One line of the live region of a terminal. `frame` counts redraws and turns the spinner. */
export function renderLive(view: TaskView, frame: number, look: Look): string {
  const colours = createColors(look.colour);
  const mark = SPINNER[frame % SPINNER.length] ?? '-';
  const time = timing(view);
  const head = `${mark} ${view.name}  ${time}`;
  const room = look.width - head.length - 3;
  const detail = view.detail !== undefined && view.detail !== '' && room > 8 ? `  ${cut(view.detail, room)}` : '';
  if (head.length >= look.width) return cut(head, look.width - 1);
  return `${colours.cyan(mark)} ${view.name}  ${colours.dim(time)}${colours.dim(detail)}`;
}

/** The line that stays once a task has ended. */
export function renderEnded(view: TaskView, look: Look): string {
  const colours = createColors(look.colour);
  const detail = view.detail === undefined || view.detail === '' ? '' : `  ${view.detail}`;
  const time = colours.dim(formatDuration(view.elapsedMs));
  return view.phase === 'failed'
    ? `${colours.red('✗')} ${view.name}  ${time}${detail}`
    : `${colours.green('✓')} ${view.name}  ${time}${colours.dim(detail)}`;
}

/** The lines of a plain log: one when a task starts, one now and then while it runs, one when it ends. */
export function renderPlain(view: TaskView, event: 'start' | 'still' | 'end', look: Look): string {
  if (event === 'end') return renderEnded(view, look);
  const colours = createColors(look.colour);
  if (event === 'start') {
    const estimate =
      view.estimateSeconds === undefined ? '' : colours.dim(`  (${formatEstimate(view.estimateSeconds)})`);
    return `${colours.cyan('>')} ${view.name}${estimate}`;
  }
  const detail = view.detail === undefined || view.detail === '' ? '' : `  ${cut(view.detail, 160)}`;
  return `${colours.cyan('.')} ${view.name}  ${timing(view)}${detail}`;
}

/** What a failed task leaves on the screen below its own line. */
export interface FailureView {
  readonly message: string;
  /** Last lines of the task's log, oldest first. */
  readonly tail: readonly string[];
  readonly logFile?: string | undefined;
  /** What to do now, in words. */
  readonly remedy?: string | undefined;
}

/** What failed, the last lines of its log, where the whole log is, and how to go on. */
export function renderFailure(view: FailureView, look: Look): string[] {
  const colours = createColors(look.colour);
  const lines = view.message.split('\n').map((line) => `  ${colours.red(line)}`);
  if (view.tail.length > 0) {
    lines.push(`  ${colours.dim('Last lines of its log:')}`);
    for (const line of view.tail) lines.push(`    ${colours.dim('|')} ${line}`);
  }
  if (view.logFile !== undefined) lines.push(`  Whole log:  ${view.logFile}`);
  if (view.remedy !== undefined) lines.push(`  To go on:   ${view.remedy}`);
  return lines;
}

function timing(view: TaskView): string {
  const elapsed = formatDuration(view.elapsedMs);
  return view.estimateSeconds === undefined ? elapsed : `${elapsed} of ${formatEstimate(view.estimateSeconds)}`;
}
