// The commands, their flags and their help; everything else is in commands/.
import { Command, CommanderError, Option } from 'commander';
import { InvalidDurationError, parseDuration } from '@assistant-platform/api';
import { Assistants } from './assistants.ts';
import { listStatus, showStatus } from './commands/status.ts';
import { abort, promote } from './commands/verbs.ts';
import { showWhy } from './commands/why.ts';
import { CommandError, EXIT_ERROR } from './errors.ts';
import { processIo, type Io } from './io.ts';
import { makePaint } from './render/paint.ts';
import { openSession } from './session.ts';

interface GlobalOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly color: boolean;
}

interface OutputOption {
  readonly output: 'text' | 'json';
}

/**
 * Runs one command.
 * @param argv arguments after the name of the program.
 * @returns the exit code: 0 good, 1 degraded or aborted, 2 timed out, 3 the question could not be put or answered.
 */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const outcome = { code: 0 };
  const program = buildProgram(io, outcome);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_ERROR;
    if (!(error instanceof CommandError)) throw error;
    if (
      argv.some(
        (part, index) =>
          part === '-ojson' ||
          part === '--output=json' ||
          (part === 'json' && /^(-o|--output)$/.test(argv[index - 1] ?? '')),
      )
    ) {
      io.stdout.write(`${JSON.stringify({ error: { code: error.code, message: error.message } }, null, 2)}\n`);
    }
    io.stderr.write(`error: ${error.message}\n`);
    return EXIT_ERROR;
  }
}

function buildProgram(io: Io, outcome: { code: number }): Command {
  const program = new Command('kubectl-assistant')
    .description('Releases of AssistantDeployments: how they stand, why they wait, and what to do about it.')
    .option('-n, --namespace <name>', 'namespace; that of the context by default')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig; KUBECONFIG or ~/.kube/config by default')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 degraded or aborted, 2 timed out, 3 the question could not be put or answered.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });

  const global = (): GlobalOptions => program.opts<GlobalOptions>();
  const open = (): Assistants => new Assistants(openSession({ ...global(), env: io.env }));
  const paint = () => makePaint(global().color && (io.env.NO_COLOR ?? '') === '' && io.stdout.isTTY === true);
  const output = (): Option => new Option('-o, --output <format>', 'format').choices(['text', 'json']).default('text');

  program
    .command('status')
    .description('how it stands, as a tree; without a name all of the namespace')
    .argument('[name]', 'the AssistantDeployment')
    .option('-A, --all-namespaces', 'all of all namespaces', false)
    .option('-w, --watch', 'follow it until it is healthy (exit 0), or degraded or aborted (exit 1)', false)
    .option('--timeout <duration>', 'follow it at most for so long (exit 2), such as 10m')
    .addOption(output())
    .action(
      async (
        name: string | undefined,
        options: OutputOption & { allNamespaces: boolean; watch: boolean; timeout?: string },
      ) => {
        const json = options.output === 'json';
        const watch = options.watch || options.timeout !== undefined;
        if (name !== undefined && options.allNamespaces)
          throw new CommandError('BadUsage', 'write either a name or -A');
        if (name === undefined && watch)
          throw new CommandError('BadUsage', '--watch and --timeout need a name: they follow one');
        const timeoutMs = options.timeout === undefined ? null : readDuration(options.timeout);
        outcome.code =
          name === undefined
            ? await listStatus(open(), io, { everywhere: options.allNamespaces, json })
            : await showStatus(open(), name, io, paint(), { watch, timeoutMs, json });
      },
    );

  program
    .command('why')
    .description('what it waits for: one sentence with what was seen, since when, and the next look')
    .argument('<name>', 'the AssistantDeployment')
    .addOption(output())
    .action(async (name: string, options: OutputOption) => {
      outcome.code = await showWhy(open(), name, io, { json: options.output === 'json' });
    });

  program
    .command('promote')
    .description('end the present pause')
    .argument('<name>', 'the AssistantDeployment')
    .option('--full', 'skip all remaining steps', false)
    .action(async (name: string, options: { full: boolean }) => {
      outcome.code = await promote(open(), name, io, options);
    });

  program
    .command('abort')
    .description('send all traffic back to the stable revision; the spec stays as it is')
    .argument('<name>', 'the AssistantDeployment')
    .requiredOption('--reason <text>', 'why, for the people who look at it later')
    .action(async (name: string, options: { reason: string }) => {
      outcome.code = await abort(open(), name, io, options);
    });

  return program;
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof InvalidDurationError)
      throw new CommandError('BadUsage', `--timeout: ${error.message}`, { cause: error });
    throw error;
  }
}
