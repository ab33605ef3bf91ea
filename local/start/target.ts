// Which cluster `npm start` works with: the embedded one, or a context of somebody's own kubeconfig. Remembered for stop and where.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readJson, writeAtomically } from '../cluster/state-file.ts';
import { START_STATE } from './places.ts';

/** A cluster and the Pulumi stack on it. */
export interface Target {
  readonly kind: 'embedded' | 'own';
  /** Path of the kubeconfig, or several separated by colons as KUBECONFIG has it. */
  readonly kubeconfig: string;
  /** Context within the kubeconfig. */
  readonly context: string;
  /** Name of the Pulumi stack. */
  readonly stack: string;
}

/** A context of the person's kubeconfig; its stack is named after it, so that two clusters never share a state. */
export function ownCluster(context: string, environment: NodeJS.ProcessEnv = process.env): Target {
  const hash = createHash('sha256').update(context).digest('hex').slice(0, 6);
  const label = context.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 40);
  const kubeconfig = environment['KUBECONFIG'];
  return {
    kind: 'own',
    kubeconfig: kubeconfig === undefined || kubeconfig === '' ? join(homedir(), '.kube', 'config') : kubeconfig,
    context,
    stack: `dev-${label}-${hash}`,
  };
}

/** The target of the last start, or undefined when there was none. */
export function lastTarget(): Promise<Target | undefined> {
  return readJson<Target>(file());
}

/** Remembers the target. */
export async function rememberTarget(target: Target): Promise<void> {
  await mkdir(START_STATE, { recursive: true, mode: 0o700 });
  await writeAtomically(file(), JSON.stringify(target, undefined, 2));
}

function file(): string {
  return join(START_STATE, 'target.json');
}
