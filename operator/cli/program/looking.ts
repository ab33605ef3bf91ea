// The commands that only look: status, why, history, sockets.
import { CommandError } from '../errors.ts';
import { examples, isJson, nameAlone, output, readDuration, type Context, type OutputOption } from './context.ts';

interface StatusFlags extends OutputOption {
  readonly allNamespaces: boolean;
  readonly watch: boolean;
  readonly timeout?: string;
}

export function addLooking({ program, io, open, paint, end }: Context): void {
  program.commandsGroup('Look:');

  program
    .command('status')
    .description('how it stands, as a tree; without a name all of the namespace')
    .argument('[name]', 'the AssistantDeployment', nameAlone)
    .option('-A, --all-namespaces', 'all of all namespaces', false)
    .option('-w, --watch', 'follow it until it is healthy (exit 0), or degraded or aborted (exit 1)', false)
    .option('--timeout <duration>', 'follow it at most for so long (exit 2), such as 10m')
    .addOption(output())
    .addHelpText(
      'after',
      examples(
        ['status -A', 'everything that there is, one line each'],
        ['status support', 'steps, weight, pods, what it waits for'],
        ['status support --watch', 'redrawn until it is decided'],
        ['status support --timeout 10m', 'in a pipeline: fails when the release does'],
      ),
    )
    .action(async (name: string | undefined, options: StatusFlags) => {
      const json = isJson(options);
      const watch = options.watch || options.timeout !== undefined;
      if (name !== undefined && options.allNamespaces) throw new CommandError('BadUsage', 'write either a name or -A');
      if (name === undefined && watch)
        throw new CommandError('BadUsage', '--watch and --timeout need a name: they follow one');
      const timeoutMs = options.timeout === undefined ? null : await readDuration('--timeout', options.timeout);
      const { listStatus, showStatus } = await import('../commands/status.ts');
      end(
        name === undefined
          ? await listStatus(await open(), io, { everywhere: options.allNamespaces, json })
          : await showStatus(await open(), name, io, await paint(), { watch, timeoutMs, json }),
      );
    });

  program
    .command('why')
    .description('what it waits for: one sentence with what was seen, since when, and the next look')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText('after', examples(['why support', 'why the release does not go on, and what would move it']))
    .action(async (name: string, options: OutputOption) => {
      const { showWhy } = await import('../commands/why.ts');
      end(await showWhy(await open(), name, io, { json: isJson(options) }));
    });

  program
    .command('history')
    .description('which releases there were, how they ended, and which can be gone back to')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText(
      'after',
      examples(
        ['history support', 'a table, the latest first'],
        ['undo support --to 6c9f7d', 'then: back to one of them, by its HASH'],
      ),
    )
    .action(async (name: string, options: OutputOption) => {
      const { showHistory } = await import('../commands/history.ts');
      end(await showHistory(await open(), name, io, { json: isJson(options) }));
    });

  program
    .command('sockets')
    .description('who is connected where: open, busy and oldest sessions by revision, and how long a drain still takes')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(['sockets support', 'asks every pod at this moment'])}

Asks the pods' admin ports through the API server (needs "get" on pods/proxy); where that is not allowed, it shows what the
operator wrote into the status last, and says so.`,
    )
    .action(async (name: string, options: OutputOption) => {
      const { showSockets } = await import('../commands/sockets.ts');
      end(await showSockets(await open(), name, io, await paint(), { json: isJson(options) }));
    });
}
