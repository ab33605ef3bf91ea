// The commands that read manifests: lint and plan.
import type { Command } from 'commander';
import { examples, isJson, output, type Context, type OutputOption } from './context.ts';

interface FileOption extends OutputOption {
  readonly filename: string[];
}

const withFiles = (command: Command): Command =>
  command.requiredOption(
    '-f, --filename <path...>',
    'manifest: a file, a folder (all YAML and JSON below it), or - for standard input',
  );

export function addFiles({ program, io, open, paint, end }: Context): void {
  program.commandsGroup('Before it is applied:');

  withFiles(program.command('plan'))
    .description('what applying a manifest would do: what changes, step by step with pods and peak; writes nothing')
    .option('--offline', 'ask no cluster', false)
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(
        ['plan -f support.yaml', 'dry run at the API server, compared with what is there'],
        ['plan -f support.yaml --offline', 'the steps alone'],
        ['plan -f - < support.yaml', 'from standard input'],
      )}

Exit code 1 when the manifest would be refused. Without a cluster it says so and shows what can be known.`,
    )
    .action(async (options: FileOption & { offline: boolean }) => {
      const { filename: files, offline } = options;
      const { showPlan } = await import('../commands/plan.ts');
      end(await showPlan(open, io, await paint(), { files, offline, json: isJson(options) }));
    });

  withFiles(program.command('lint'))
    .description(
      'mistakes and bad habits in a manifest, each with a code, the field, and what to write instead; no cluster',
    )
    .option('--strict', 'warnings fail as well', false)
    .addOption(output())
    .addHelpText(
      'after',
      `${examples(
        ['lint -f deploy/', 'every AssistantDeployment below a folder; other kinds are left alone'],
        ['lint -f support.yaml --strict -o json', 'in CI'],
      )}

Exit code 1 when there is an error. The codes are listed in operator/cli/README.md.`,
    )
    .action(async (options: FileOption & { strict: boolean }) => {
      const { filename: files, strict } = options;
      const { lint } = await import('../commands/lint.ts');
      end(await lint(io, await paint(), { files, strict, json: isJson(options) }));
    });
}
