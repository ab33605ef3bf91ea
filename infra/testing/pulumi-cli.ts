/** For tests: the root stack by the real CLI, with a backend, settings and passphrase of its own in a folder of its own. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pathFolders } from '@assistant-platform/local/toolchain';
import { stringify } from 'yaml';

/** Root of the repository, where Pulumi.yaml lies. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STACK = 'dev';
const LARGE = 64 * 1024 * 1024;

/** How a command ended, whatever its exit code. */
export interface Ended {
  readonly code: number;
  /** Both streams. */
  readonly text: string;
}

/** A stack and its settings. */
export class TestStack {
  private readonly environment: NodeJS.ProcessEnv;
  private readonly settingsFile: string;

  private constructor(environment: NodeJS.ProcessEnv, settingsFile: string) {
    this.environment = environment;
    this.settingsFile = settingsFile;
  }

  /**
   * Makes the stack and sets its seed.
   *
   * @param folder an empty folder for state, settings and plugins
   * @param kubeconfig the cluster that it works on
   */
  static async create(folder: string, kubeconfig: string): Promise<TestStack> {
    const project = join(folder, 'project');
    const backend = join(folder, 'backend');
    const temporary = join(folder, 'temporary');
    for (const each of [project, backend, temporary]) await mkdir(each, { recursive: true });
    await copyFile(join(ROOT, 'Pulumi.yaml'), join(project, 'Pulumi.yaml'));
    const folders = await pathFolders(['pulumi', 'pulumi-language-nodejs', 'pulumi-resource-kubernetes']);
    const stack = new TestStack(
      {
        ...process.env,
        PATH: [...folders, process.env['PATH'] ?? ''].join(delimiter),
        KUBECONFIG: kubeconfig,
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString('hex'),
        PULUMI_HOME: join(folder, 'home'),
        // The provider leaves copies of the kubeconfig there.
        TMPDIR: temporary,
        PULUMI_SKIP_UPDATE_CHECK: 'true',
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      },
      join(project, `Pulumi.${STACK}.yaml`),
    );
    await stack.must(['stack', 'init', STACK, '--cwd', project]);
    return stack;
  }

  /** Writes a setting, as `pulumi config set` does. */
  async set(name: string, value: string, ...flags: readonly string[]): Promise<void> {
    await this.must(['config', 'set', ...flags, name, value, ...this.which()]);
  }

  /** Replaces all settings by these, seed included: for wrong ones. */
  async overwrite(config: Readonly<Record<string, unknown>>): Promise<void> {
    const entries = Object.entries(config).map(([name, value]) => [`assistant-platform:${name}`, value]);
    await writeFile(this.settingsFile, stringify({ config: Object.fromEntries(entries) as object }));
  }

  /** `pulumi up`. @throws with the CLI's output when it fails */
  up(): Promise<string> {
    return this.must(['up', '--yes', '--skip-preview', ...this.which()]);
  }

  /** `pulumi destroy`. @throws with the CLI's output when it fails */
  destroy(): Promise<string> {
    return this.must(['destroy', '--yes', '--skip-preview', ...this.which()]);
  }

  /** `pulumi preview --expect-no-changes`: exit code 0 only if there is none. */
  previewNoChange(): Promise<Ended> {
    return this.run(['preview', '--expect-no-changes', '--diff', ...this.which()]);
  }

  /** Compares the state with the cluster: exit code 0 only if they agree. */
  detectDrift(): Promise<Ended> {
    return this.run(['refresh', '--preview-only', '--expect-no-changes', '--diff', ...this.which()]);
  }

  /** `pulumi preview` with whatever outcome. */
  preview(): Promise<Ended> {
    return this.run(['preview', ...this.which()]);
  }

  /** The whole state as it lies on disk: secrets encrypted. */
  export(): Promise<string> {
    return this.must(['stack', 'export', '--stack', STACK]);
  }

  /** The outputs, secrets in clear. */
  async outputs(): Promise<Readonly<Record<string, string>>> {
    return JSON.parse(await this.must(['stack', 'output', '--json', '--show-secrets', '--stack', STACK])) as Record<
      string,
      string
    >;
  }

  private which(): string[] {
    return ['--stack', STACK, '--config-file', this.settingsFile];
  }

  private async must(args: readonly string[]): Promise<string> {
    const { code, text } = await this.run(args);
    if (code !== 0) throw new Error(`pulumi ${args.slice(0, 2).join(' ')} ended with ${code}:\n${text.slice(-4000)}`);
    return text;
  }

  private run(args: readonly string[]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      execFile(
        'pulumi',
        [...args, '--non-interactive', '--color', 'never'],
        { cwd: ROOT, env: this.environment, maxBuffer: LARGE },
        (error, stdout, stderr) => {
          if (error === null)
            resolve({ code: 0, text: args.includes('--json') || args.includes('export') ? stdout : stdout + stderr });
          else if (typeof error.code === 'number') resolve({ code: error.code, text: stdout + stderr });
          else reject(new Error(`pulumi could not be run: ${error.message}`, { cause: error }));
        },
      );
    });
  }
}
