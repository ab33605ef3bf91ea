// The Pulumi stack of `npm start`: its own backend, home, passphrase and settings, all in the state folder. Runs the CLI.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { TEST_RANGE } from '../cluster/addresses.ts';
import { readJson, writeAtomically } from '../cluster/state-file.ts';
import { identify } from '../cluster/processes.ts';
import type { Progress } from '../progress/progress.ts';
import { runCommand } from '../toolchain/command.ts';
import { pathFolders } from '../toolchain/toolchain.ts';
import { REPOSITORY, START_STATE } from './places.ts';
import type { Target } from './target.ts';

const PROJECT = 'assistant-platform';
/** The Kubernetes provider leaves a kubeconfig with credentials behind at every run: not in a folder that all share. */
const TEMPORARY = join(START_STATE, 'tmp');
const TOOLS = ['pulumi', 'pulumi-language-nodejs', 'pulumi-resource-kubernetes'] as const;

/** What `infra/index.ts` exports. Secrets in clear. */
export type StackOutputs = Readonly<Record<string, unknown>>;

/** One stack of the root program. */
export class DevStack {
  readonly #target: Target;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  private constructor(target: Target, environment: Readonly<Record<string, string | undefined>>) {
    this.#target = target;
    this.#environment = environment;
  }

  /** Opens the stack of the target; it need not exist yet. Builds Pulumi if it has to. */
  static async open(target: Target, progress?: Progress): Promise<DevStack> {
    const folders = await pathFolders(TOOLS, progress);
    const backend = join(START_STATE, 'pulumi');
    await mkdir(backend, { recursive: true, mode: 0o700 });
    await mkdir(TEMPORARY, { recursive: true, mode: 0o700 });
    return new DevStack(target, {
      // Pulumi's language host runs the program with the node that it finds first: this one, whatever the person's PATH says.
      PATH: [...folders, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      KUBECONFIG: target.kubeconfig,
      // A proxy in the person's environment must not get what goes to the cluster on this machine.
      NO_PROXY: noProxy(process.env),
      no_proxy: noProxy(process.env),
      PULUMI_BACKEND_URL: `file://${backend}`,
      // Somebody's own passphrase would come before the file.
      PULUMI_CONFIG_PASSPHRASE: undefined,
      PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile(),
      PULUMI_HOME: join(START_STATE, 'pulumi-home'),
      TMPDIR: TEMPORARY,
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    });
  }

  /** Makes the stack if it is not there, and writes its settings over those of Pulumi.dev.yaml. */
  async configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const project = join(START_STATE, 'project');
    const file = this.#settingsFile();
    if (!existsSync(file)) {
      // `stack init` writes beside Pulumi.yaml: given a copy, it leaves the clone alone.
      await mkdir(project, { recursive: true });
      await copyFile(join(REPOSITORY, 'Pulumi.yaml'), join(project, 'Pulumi.yaml'));
      await this.#pulumi(['stack', 'init', this.#target.stack, '--cwd', project]).catch((error: unknown) => {
        // It exists when an earlier run was killed between the two steps: then only its settings are missing.
        if (!(error instanceof Error && error.message.includes('already exists'))) throw error;
      });
    }
    interface SettingsFile {
      readonly encryptionsalt?: string;
      readonly config?: Readonly<Record<string, unknown>>;
    }
    const kept = existsSync(file) ? ((parse(await readFile(file, 'utf8')) as SettingsFile | null) ?? {}) : {};
    const base = (parse(await readFile(join(REPOSITORY, 'Pulumi.dev.yaml'), 'utf8')) as SettingsFile | null) ?? {};
    const ours = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${PROJECT}:${name}`, value]));
    const seed = `${PROJECT}:seed`;
    const keptSeed = kept.config?.[seed] === undefined ? {} : { [seed]: kept.config[seed] };
    const merged = { ...kept, config: { ...base.config, ...keptSeed, ...ours } };
    await writeAtomically(file, stringify(merged, { lineWidth: 0 }), 0o600);
    if (kept.config?.[seed] === undefined) await this.#setSeed(file);
  }

  /** `pulumi up`. A run that was killed is taken up again. */
  async up(onLine: (line: string) => void): Promise<void> {
    await this.#freeStaleLocks();
    await this.#operate(['up', '--yes', '--skip-preview', '--suppress-outputs', ...this.#which()], onLine);
  }

  /**
   * `pulumi preview` that must find nothing to do.
   * @throws Error with what would change.
   */
  async previewWithoutChanges(): Promise<void> {
    await this.#freeStaleLocks();
    await this.#operate(['preview', '--diff', '--expect-no-changes', '--suppress-outputs', ...this.#which()]);
  }

  /** The state as `pulumi stack export` gives it: secrets are encrypted in it. */
  async exported(): Promise<string> {
    return this.#pulumi(['stack', 'export', '--stack', this.#target.stack]);
  }

  /** `pulumi destroy`: removes everything from the cluster and keeps the stack. */
  async destroy(onLine: (line: string) => void): Promise<void> {
    await this.#freeStaleLocks();
    await this.#operate(['destroy', '--yes', '--skip-preview', '--suppress-outputs', ...this.#which()], onLine);
  }

  /** What the last `up` gave; undefined when the stack was never made. */
  async outputs(): Promise<StackOutputs | undefined> {
    if (!existsSync(this.#settingsFile())) return undefined;
    const text = await this.#pulumi(['stack', 'output', '--json', '--show-secrets', '--stack', this.#target.stack]);
    return JSON.parse(text) as StackOutputs;
  }

  #settingsFile(): string {
    return join(START_STATE, 'project', `Pulumi.${this.#target.stack}.yaml`);
  }

  #which(): string[] {
    return ['--stack', this.#target.stack, '--config-file', this.#settingsFile()];
  }

  async #setSeed(file: string): Promise<void> {
    // Through an environment variable and a shell, for the command line of a process is there for all to read.
    const script =
      'printf %s "$SEED" | pulumi config set --secret seed --stack "$1" --config-file "$2" --non-interactive';
    await runCommand('sh', ['-c', script, 'sh', this.#target.stack, file], {
      cwd: REPOSITORY,
      env: { ...this.#environment, SEED: randomBytes(32).toString('hex') },
    });
  }

  /** Runs an operation of the engine, which holds the stack's lock: nobody else's files are in the temporary folder. */
  async #operate(args: readonly string[], onLine?: (line: string) => void): Promise<void> {
    try {
      await this.#pulumi(args, onLine);
    } finally {
      for (const name of await readdir(TEMPORARY)) await rm(join(TEMPORARY, name), { recursive: true, force: true });
    }
  }

  #pulumi(args: readonly string[], onLine?: (line: string) => void): Promise<string> {
    return runCommand('pulumi', [...args, '--non-interactive', '--color', 'never'], {
      cwd: REPOSITORY,
      env: this.#environment,
      ...(onLine === undefined ? {} : { onLine }),
    });
  }

  /** A lock of the file backend names its process: one that runs is waited for, one that is gone has left a stale lock. */
  async #freeStaleLocks(): Promise<void> {
    const folder = join(START_STATE, 'pulumi', '.pulumi', 'locks', 'organization', PROJECT, this.#target.stack);
    if (!existsSync(folder)) return;
    for (const name of await readdir(folder)) {
      const lock = await readJson<{ readonly pid: number }>(join(folder, name));
      while (lock !== undefined && identify(lock.pid) !== undefined && existsSync(join(folder, name))) await delay(200);
      await rm(join(folder, name), { force: true });
    }
  }
}

/** The person's own exceptions and the networks of the embedded clusters; Go reads CIDRs here. */
function noProxy(environment: NodeJS.ProcessEnv): string {
  const own = environment['NO_PROXY'] ?? environment['no_proxy'] ?? '';
  return [own, '127.0.0.1', 'localhost', TEST_RANGE].filter((part) => part !== '').join(',');
}

async function passphraseFile(): Promise<string> {
  const file = join(START_STATE, 'passphrase');
  if (!existsSync(file)) await writeAtomically(file, randomBytes(24).toString('base64url'), 0o600);
  return file;
}
