// The process's surroundings as a parameter, so that commands run in tests as they run in a terminal.
import { text } from 'node:stream/consumers';

/** A place to write to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
}

/** What a command may touch besides the cluster. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** All of standard input, as text. */
  readonly readStdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Aborts when a person presses Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Those of this process. */
export function processIo(): Io {
  let interrupted: AbortSignal | null = null;
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    readStdin: () => text(process.stdin),
    env: process.env,
    now: () => Date.now(),
    // Whoever asks for it ends in order. All others end as programs do: at once, however long the API server takes.
    get interrupted() {
      return (interrupted ??= interruption());
    },
  };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort(signal));
  return controller.signal;
}
