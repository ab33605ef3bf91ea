// A terminal for tests: a pseudo-terminal from script(1) around the real executable, and a screen that understands what the display writes,
// so that a test sees what a person would see.
import { spawn } from 'node:child_process';
import { executable, kubeconfig } from './cluster.ts';

/** What is on the screen after a stream of text and control sequences. */
export class Screen {
  readonly #rows: number;
  readonly #columns: number;
  #lines: string[] = [''];
  #row = 0;
  #column = 0;
  /** First line that is not scrolled out of sight. */
  #top = 0;
  cursorVisible = true;

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
  }

  /** The visible lines, without trailing spaces and empty lines at the end. */
  get text(): string {
    const visible = this.#lines.slice(this.#top).map((line) => line.trimEnd());
    return visible.join('\n').trimEnd();
  }

  /** @throws Error on a control sequence that no test has met yet. */
  write(text: string): void {
    for (const [token] of text.matchAll(/\u001b\[[?]?[0-9;]*[A-Za-z]|[\s\S]/g)) {
      if (token.startsWith('\u001b[')) this.#control(token);
      else if (token === '\r') this.#column = 0;
      else if (token === '\n') this.#newline();
      else this.#put(token);
    }
  }

  #newline(): void {
    this.#row += 1;
    this.#column = 0;
    this.#lines[this.#row] ??= '';
    this.#top = Math.max(this.#top, this.#row - this.#rows + 1);
  }

  #put(character: string): void {
    // Terminals wrap what is too wide: moving up by lines would then miss.
    if (this.#column >= this.#columns) this.#newline();
    const line = (this.#lines[this.#row] ?? '').padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }

  #control(sequence: string): void {
    const [, count = '', command] = /^\u001b\[[?]?([0-9;]*)([A-Za-z])$/.exec(sequence) ?? [];
    if (sequence === '\u001b[?25l') this.cursorVisible = false;
    else if (sequence === '\u001b[?25h') this.cursorVisible = true;
    else if (command === 'A') this.#row = Math.max(this.#top, this.#row - Number(count || 1));
    else if (command === 'J') {
      this.#lines = [...this.#lines.slice(0, this.#row), (this.#lines[this.#row] ?? '').slice(0, this.#column)];
    } else if (command !== 'm') throw new Error(`the screen does not know ${JSON.stringify(sequence)}`);
  }
}

/** A command in a terminal. */
export interface TerminalSession {
  readonly screen: Screen;
  /** Everything that came, as it came. */
  readonly raw: () => string;
  /** Resolves once the screen looks so. @throws Error with the screen when the command ends before. */
  readonly shows: (pattern: RegExp) => Promise<void>;
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
  readonly code: Promise<number | null>;
}

/** Runs the executable in a pseudo-terminal of this size. */
export function inTerminal(
  args: readonly string[],
  { rows = 40, columns = 120, colours = true }: { rows?: number; columns?: number; colours?: boolean } = {},
): TerminalSession {
  const words = [process.execPath, executable, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty rows ${rows} cols ${columns}; exec ${words}`, '/dev/null'], {
    env: { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: colours ? '' : '1', TERM: 'xterm' },
  });
  const screen = new Screen(rows, columns);
  const waiting = new Set<() => void>();
  let raw = '';
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    raw += text;
    // A control sequence may be cut in two by the pipe.

    const [, whole = '', begun = ''] = /^([\s\S]*?)(\u001b(?:\[[?]?[0-9;]*)?)?$/.exec(rest + text) ?? [];
    rest = begun;
    screen.write(whole);
    for (const look of waiting) look();
  });
  const ended = Promise.withResolvers<number | null>();
  child.on('close', (code) => ended.resolve(code));
  return {
    screen,
    raw: () => raw,
    shows: async (pattern) => {
      const seen = Promise.withResolvers<'Seen'>();
      const look = (): void => {
        if (pattern.test(screen.text)) seen.resolve('Seen');
      };
      waiting.add(look);
      look();
      const first = await Promise.race([seen.promise, ended.promise]);
      waiting.delete(look);
      if (first !== 'Seen') throw new Error(`ended with ${first} before the screen showed ${pattern}:\n${screen.text}`);
    },
    interrupt: () => child.stdin.write('\u0003'),
    code: ended.promise,
  };
}
