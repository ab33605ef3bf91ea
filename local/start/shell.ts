// What a person's shell needs to reach the cluster: a file to source, and a folder with kubectl and its plugin.
import { chmod, mkdir, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { writeAtomically } from '../cluster/state-file.ts';
import { ensureBinary } from '../toolchain/toolchain.ts';
import { REPOSITORY, START_STATE } from './places.ts';
import type { Target } from './target.ts';

const PLUGIN = join(REPOSITORY, 'operator', 'cli', 'bin', 'kubectl-assistant.mjs');

/** Writes the file and the folder. @returns the command to type, relative to the clone. */
export async function shellSetup(target: Target): Promise<string> {
  const bin = join(START_STATE, 'bin');
  await mkdir(bin, { recursive: true });
  // The person's own one where it is near enough in version, else ours.
  await rm(join(bin, 'kubectl'), { force: true });
  await symlink(await ensureBinary('kubectl'), join(bin, 'kubectl'));
  // The plugin, and what kubectl asks to complete its arguments.
  for (const [name, words] of [
    ['kubectl-assistant', ''],
    ['kubectl_complete-assistant', ' __complete --'],
  ] as const) {
    const script = join(bin, name);
    await writeAtomically(script, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(PLUGIN)}${words} "$@"\n`);
    await chmod(script, 0o755);
  }
  const file = join(START_STATE, 'env');
  const lines = [
    `# source this file: kubectl, and kubectl assistant, then work with ${target.context}`,
    `export KUBECONFIG=${quote(target.kubeconfig)}`,
    `export PATH=${quote(bin)}:"$PATH"`,
  ];
  await writeAtomically(file, `${lines.join('\n')}\n`);
  const use = target.kind === 'own' ? ` && kubectl config use-context ${quote(target.context)}` : '';
  return `. ${relative(REPOSITORY, file)}${use}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
