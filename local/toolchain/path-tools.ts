/**
 * Programs that a person has already: used as they are when they are new enough, so that nothing is compiled that is
 * on the machine. `ASSISTANT_PLATFORM_BUILD_ALL=1` ignores them.
 */
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { isAtLeast, parseVersion, type Version } from './versions.ts';

/** The programs that may come from PATH. */
export type PathTool = 'pulumi' | 'pulumi-language-nodejs' | 'helm' | 'kubectl';

/** What counts as new enough. Kubernetes supports kubectl within one minor version of the server (1.35). */
const ACCEPTS: Readonly<Record<Exclude<PathTool, 'pulumi-language-nodejs'>, (version: Version) => boolean>> = {
  pulumi: (version) => version.major === 3 && isAtLeast(version, { major: 3, minor: 259, patch: 0 }),
  helm: (version) => version.major <= 4 && isAtLeast(version, { major: 3, minor: 17, patch: 0 }),
  kubectl: (version) => version.major === 1 && Math.abs(version.minor - 35) <= 1,
};

const VERSION_COMMAND: Readonly<Record<keyof typeof ACCEPTS, readonly string[]>> = {
  pulumi: ['version'],
  helm: ['version', '--template', '{{.Version}}'],
  kubectl: ['version', '--client'],
};

/** Whether a program of this version can be used. Pure. */
export function isUsable(tool: keyof typeof ACCEPTS, version: Version): boolean {
  return ACCEPTS[tool](version);
}

const looked = new Map<PathTool, Promise<string | undefined>>();

/** The absolute path of a program in PATH that is new enough, or undefined. Looked for once in a process. */
export function findOnPath(tool: PathTool): Promise<string | undefined> {
  if (process.env['ASSISTANT_PLATFORM_BUILD_ALL'] === '1') return Promise.resolve(undefined);
  let answer = looked.get(tool);
  if (answer === undefined) {
    answer = tool === 'pulumi-language-nodejs' ? languageHost() : checked(tool);
    looked.set(tool, answer);
  }
  return answer;
}

async function checked(tool: keyof typeof ACCEPTS): Promise<string | undefined> {
  const path = await locate(tool);
  if (path === undefined) return undefined;
  // A program that does not even tell its version is not used; what is used instead is known to work.
  const text = await runCommand(path, VERSION_COMMAND[tool], { env: { PULUMI_SKIP_UPDATE_CHECK: 'true' } }).catch(
    () => '',
  );
  const version = parseVersion(text);
  if (version === undefined || !isUsable(tool, version)) return undefined;
  // A pulumi without its Node host cannot run our programs.
  return tool === 'pulumi' && (await hostBeside(path)) === undefined ? undefined : path;
}

/** The Node host belongs to its pulumi: one that is on PATH counts only when pulumi itself is used from there. */
async function languageHost(): Promise<string | undefined> {
  const pulumi = await findOnPath('pulumi');
  return pulumi === undefined ? undefined : hostBeside(pulumi);
}

async function hostBeside(pulumi: string): Promise<string | undefined> {
  const beside = join(dirname(await realpath(pulumi)), 'pulumi-language-nodejs');
  return (await isExecutable(beside)) ? beside : locate('pulumi-language-nodejs');
}

/** The first executable file of this name in PATH. */
export async function locate(program: string, path = process.env['PATH'] ?? ''): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    const candidate = join(folder, program);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
