// The commands beside the work: bundle, completion.
import { Argument } from 'commander';
import { SHELLS, type Shell } from '../shells.ts';
import { examples, type Context } from './context.ts';

export function addSupport({ program, io, open, openWith, end }: Context): void {
  program.commandsGroup('Help:');

  program
    .command('bundle')
    .description('everything that somebody needs who cannot look at the cluster, as one archive without secrets')
    .argument('<name>', 'the AssistantDeployment')
    .option('--out <file>', 'where to; by default assistant-NAME-TIME.tar.gz here')
    .addHelpText(
      'after',
      `${examples(
        ['bundle support', "objects, events, versions, the operator's logs"],
        ['bundle support --out /tmp/support.tar.gz', 'to a place of your own'],
      )}

Secrets, values of variables, tokens and the like are taken out. What may not be read is listed, in the archive as well.`,
    )
    .action(async (name: string, options: { out?: string }) => {
      const { bundle } = await import('../commands/bundle.ts');
      end(await bundle(await open(), name, io, options));
    });

  program
    .command('completion')
    .description('the script that completes commands, names and revisions in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Put it into the start-up file of the shell:
  source <(kubectl-assistant completion bash)     # ~/.bashrc
  source <(kubectl-assistant completion zsh)      # ~/.zshrc
  kubectl-assistant completion fish | source      # ~/.config/fish/config.fish

For "kubectl assistant ..." kubectl's own completion does it: it asks kubectl_complete-assistant, which lies beside this command on PATH.`,
    )
    .action(async (shell: Shell) => {
      const { printCompletion } = await import('../commands/completion.ts');
      end(printCompletion(shell, io));
    });

  program
    .command('__complete', { hidden: true })
    .argument('[line...]', 'the words up to the cursor')
    .helpOption(false)
    .action(async (line: string[]) => {
      const { answerCompletion } = await import('../commands/completion.ts');
      end(await answerCompletion(program, line, io, openWith));
    });
}
