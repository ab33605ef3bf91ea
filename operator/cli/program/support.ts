// The commands beside the work: bundle, profile, completion.
import { Argument, InvalidArgumentError, Option } from 'commander';
import { KINDS, type ProfileKind } from '../profile/in-pod.ts';
import { SHELLS, type Shell } from '../shells.ts';
import { examples, isJson, nameAlone, output, type Context, type OutputOption } from './context.ts';

interface ProfileFlags extends OutputOption {
  readonly kind: ProfileKind;
  readonly seconds: number;
  readonly container?: string;
  readonly out?: string;
}

function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 300)
    throw new InvalidArgumentError('write a whole number from 1 to 300.');
  return seconds;
}

export function addSupport({ program, io, open, openWith, end }: Context): void {
  program.commandsGroup('Help:');

  program
    .command('bundle')
    .description('everything that somebody needs who cannot look at the cluster, as one archive without secrets')
    .argument('<name>', 'the AssistantDeployment', nameAlone)
    .option('--out <file>', 'where to; by default assistant-NAME-TIME.tar.gz here')
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(
        ['bundle support', "objects, events, versions, the operator's logs"],
        ['bundle support --out /tmp/support.tar.gz', 'to a place of your own'],
      )}

Secrets, values of variables, tokens and the like are taken out. What may not be read is listed, in the archive as well.`,
    )
    .action(async (name: string, options: OutputOption & { out?: string }) => {
      const { bundle } = await import('../commands/bundle.ts');
      end(await bundle(await open(), name, io, { out: options.out, json: isJson(options) }));
    });

  program
    .command('profile')
    .description("where a running pod's time or memory goes: of the operator, chat or realtime, without a restart")
    .argument('<pod>', 'the pod, in the namespace of -n', nameAlone)
    .addOption(new Option('--kind <kind>', 'time, or memory that is held').choices(KINDS).default('cpu'))
    .option('--seconds <n>', 'for so long, 1 to 300', wholeSeconds, 10)
    .option('-c, --container <name>', "one that is not the pod's default")
    .option('--out <file>', 'where to; by default POD-TIME.cpuprofile or .heapprofile here')
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(
        ['profile assistant-operator-0 -n assistant-system', 'ten seconds of its processor time'],
        ['profile support-chat-1 --kind heap --seconds 60', 'what allocates the memory that stays'],
      )}

Runs a program in the container (needs "create" on pods/exec) that opens the inspector of its Node.js on the container's loopback, and closes
it again. Profiles name functions and files; they hold no values.`,
    )
    .action(async (pod: string, options: ProfileFlags) => {
      const { profile } = await import('../commands/profile.ts');
      end(await profile(await open(), pod, io, { ...options, json: isJson(options) }));
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
