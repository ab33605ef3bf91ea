// The program: global flags, errors and exit codes. The commands with their flags and help are in program/, what they do in commands/.
import { Command, CommanderError } from 'commander';
import { CommandError, EXIT_ERROR, type ErrorCode } from './errors.ts';
import { processIo, type Io } from './io.ts';
import { addActing } from './program/acting.ts';
import { nameOrNothing, type Context } from './program/context.ts';
import { addFiles } from './program/files.ts';
import { addLooking } from './program/looking.ts';
import { addSupport } from './program/support.ts';
import { documentText, printable } from './render/printable.ts';

interface GlobalOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly color: boolean;
}

/**
 * Runs one command.
 * @param words arguments after the name of the program.
 * @returns the exit code: 0 good, 1 degraded, aborted or refused, 2 timed out, 3 the question could not be put or answered.
 */
export async function run(words: readonly string[], io: Io = processIo()): Promise<number> {
  const outcome = { code: 0 };
  const program = buildProgram(io, outcome);
  const argv = withoutEquals(words, program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // It has been written to standard error.
      if (wantsJson(argv)) writeError(io, 'BadUsage', error.message.replace(/^error: /, ''));
      return EXIT_ERROR;
    }
    if (!(error instanceof CommandError)) throw error;
    if (wantsJson(argv)) writeError(io, error.code, error.message);
    io.stderr.write(`error: ${printable(error.message)}\n`);
    return EXIT_ERROR;
  }
}

/** As kubectl takes short flags that have a value: `-n=assistants` is `-n assistants`. */
function withoutEquals(words: readonly string[], program: Command): string[] {
  const flags = new Set(
    [program, ...program.commands].flatMap(({ options }) =>
      options.flatMap(({ short, required }) => (required && short !== undefined ? [short] : [])),
    ),
  );
  const end = words.indexOf('--');
  return words.flatMap((word, index) =>
    (end < 0 || index < end) && word[2] === '=' && flags.has(word.slice(0, 2))
      ? [word.slice(0, 2), word.slice(3)]
      : [word],
  );
}

/** Whether the line asks for documents: told from the words, because a line with an error is not parsed to its end. */
const wantsJson = (argv: readonly string[]): boolean =>
  argv.some(
    (part, index) =>
      part === '-ojson' ||
      part === '--output=json' ||
      (part === 'json' && /^(-o|--output)$/.test(argv[index - 1] ?? '')),
  );

function writeError(io: Io, code: ErrorCode, message: string): void {
  io.stdout.write(`${documentText({ error: { code, message } })}\n`);
}

/** The program with all its commands, for what describes it: completion, documentation, tests. */
export const makeProgram = (): Command => buildProgram(processIo(), { code: 0 });

function buildProgram(io: Io, outcome: { code: number }): Command {
  const program = new Command('kubectl-assistant')
    .description('Releases of AssistantDeployments: how they stand, why they wait, and what to do about it.')
    .option('-n, --namespace <name>', 'namespace; that of the context by default', nameOrNothing)
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig; KUBECONFIG or ~/.kube/config by default')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 degraded, aborted or refused, 2 timed out, 3 the question could not be put or answered, 130 Ctrl-C.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });

  const global = (): GlobalOptions => program.opts<GlobalOptions>();
  const context: Context = {
    program,
    io,
    open: (namespace) => context.openWith(namespace === undefined ? {} : { namespace }),
    openWith: async (flags) => {
      const [{ Assistants }, { openSession }] = await Promise.all([import('./assistants.ts'), import('./session.ts')]);
      return new Assistants(openSession({ ...flags, ...global(), env: io.env }));
    },
    paint: async () => {
      const { makePaint } = await import('./render/paint.ts');
      return makePaint(global().color && (io.env.NO_COLOR ?? '') === '' && io.stdout.isTTY === true);
    },
    end: (code) => {
      outcome.code = code;
    },
  };
  addLooking(context);
  addActing(context);
  addFiles(context);
  addSupport(context);
  return program;
}
