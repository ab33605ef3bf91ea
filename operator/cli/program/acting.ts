// The commands that move a release: promote, abort, retry, pause, resume, undo, restart.
import { examples, isJson, nameAlone, output, type Context, type OutputOption } from './context.ts';

export function addActing({ program, io, open, end }: Context): void {
  program.commandsGroup('Act:');

  program
    .command('promote')
    .description('go on past the present pause of the strategy')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .option('--full', 'skip all remaining steps', false)
    .addOption(output())
    .addHelpText(
      'after',
      examples(
        ['promote support', 'the pause (or blue-green preview) is over, go on with the next step'],
        ['promote support --full', 'all traffic to the new release, as soon as its pods are ready'],
      ),
    )
    .action(async (name: string, options: OutputOption & { full: boolean }) => {
      const { promote } = await import('../commands/verbs.ts');
      end(await promote(await open(), name, io, { full: options.full, json: isJson(options) }));
    });

  program
    .command('abort')
    .description('send all traffic back to the stable release at once; the spec stays as it is')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .requiredOption('--reason <text>', 'why, for the people who look at it later')
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(['abort support --reason "answers are wrong"', 'call it back'])}

Afterwards: retry begins it again, undo writes the stable release back into the spec, or apply a corrected spec.`,
    )
    .action(async (name: string, options: OutputOption & { reason: string }) => {
      const { abort } = await import('../commands/verbs.ts');
      end(await abort(await open(), name, io, { reason: options.reason, json: isJson(options) }));
    });

  program
    .command('retry')
    .description('begin an aborted rollout again, from its first step')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText(
      'after',
      examples(['retry support', 'when what failed was not the release: a full node, a lost image']),
    )
    .action(async (name: string, options: OutputOption) => {
      const { retry } = await import('../commands/verbs.ts');
      end(await retry(await open(), name, io, { json: isJson(options) }));
    });

  program
    .command('pause')
    .description('hold the rollout where it is, traffic and pods as they are (sets spec.paused)')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(['pause support', 'nobody knows yet what is wrong: nothing moves until resume'])}

It is part of the spec: where GitOps owns the object, set spec.paused there, or it will be reverted.`,
    )
    .action(async (name: string, options: OutputOption) => {
      const { pause } = await import('../commands/pause.ts');
      end(await pause(await open(), name, io, { json: isJson(options) }));
    });

  program
    .command('resume')
    .description('end what pause began (spec.paused: false); pauses that are steps are passed by promote')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText('after', examples(['resume support', 'go on where it was held']))
    .action(async (name: string, options: OutputOption) => {
      const { resume } = await import('../commands/pause.ts');
      end(await resume(await open(), name, io, { json: isJson(options) }));
    });

  program
    .command('undo')
    .description('go back to an earlier release: writes what it was made of into the spec')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .option('--to <hash>', 'this revision: its hash, the beginning of it, or its release label (see history)')
    .option('--dry-run', 'say what would be written, and write nothing', false)
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(
        ['undo support', 'in mid-rollout or after an abort: back to stable; at rest: to the release before'],
        ['undo support --to 6c9f7d', 'back to this revision'],
        ['undo support --dry-run', 'what it would change'],
      )}

Images, environment and templates go back. How many pods run is no part of a release: replicas and autoscaling stay as they
are now. ConfigMaps and Secrets are not touched: the pods read what the revision read, whatever these hold by now. Edit one, and that is a release again.`,
    )
    .action(async (name: string, options: OutputOption & { to?: string; dryRun: boolean }) => {
      const { undo } = await import('../commands/undo.ts');
      end(await undo(await open(), name, io, { to: options.to, dryRun: options.dryRun, json: isJson(options) }));
    });

  program
    .command('restart')
    .description('replace all pods by new ones of the same release, through the steps of the strategy')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .addOption(output())
    .addHelpText('after', examples(['restart support', 'fresh pods, without cutting a session']))
    .action(async (name: string, options: OutputOption) => {
      const { restart } = await import('../commands/verbs.ts');
      end(await restart(await open(), name, io, { json: isJson(options) }));
    });
}
