/**
 * The settings of the root stack: typed, validated at once, with one readable error that lists everything wrong.
 *
 * A setting is written with `pulumi config set <key> <value>` (`--path` for the maps, `--secret` for `seed`).
 */
import { z } from 'zod';

/** The images that the dev tier runs, with the tags that `npm run images` gives them. */
export const DEFAULT_TAGS = {
  operator: '0.1.0',
  chat: '1.0.0',
  realtime: '1.0.0',
  model: '0.1.0',
  redis: '9.1.2',
  postgres: '18.6',
  openbao: '2.7.2',
  unleash: '7.6.5',
  prometheus: '2.42.0',
  gateway: '3.7.15',
} as const;

/** Name of an image that the stack runs. */
export type ImageName = keyof typeof DEFAULT_TAGS;

const imageNames = Object.keys(DEFAULT_TAGS) as [ImageName, ...ImageName[]];
const perImage = <T extends z.ZodType>(value: T) => z.partialRecord(z.enum(imageNames), value);
const port = z.coerce.number().int().min(30000).max(32767);
const replicas = z.coerce.number().int().min(1).max(20);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

const schema = z.strictObject({
  tier: z
    .literal('dev', { error: 'the root stack provisions the dev tier; write "dev"' })
    .default('dev')
    .describe('What is provisioned: small in-cluster servers (dev).'),
  context: z.string().min(1).optional().describe('Context of the kubeconfig; the current one when absent.'),
  nodeAddress: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, 'write a host name or an IP address, without scheme or port')
    .default('127.0.0.1')
    .describe('Where the NodePorts are reached; used only for the addresses among the outputs.'),
  storageClass: z.string().min(1).default('standard').describe('StorageClass of the volumes.'),
  imageRegistry: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.:/_-]*[a-z0-9]$/,
      'write a registry and path such as ghcr.io/you/assistant, no slash at the end',
    )
    .default('localhost/assistant')
    .describe('Prefix of every image.'),
  imageTags: perImage(
    z
      .string()
      .regex(/^[\w][\w.-]{0,127}$/, 'write an image tag such as 1.0.0')
      .refine((tag) => tag !== 'latest', 'pin a version instead of "latest"'),
  )
    .default({})
    .describe('Tags that differ from the built-in ones.'),
  imageDigests: perImage(z.string().regex(/^sha256:[0-9a-f]{64}$/, 'write sha256: and 64 hex digits'))
    .default({})
    .describe('What was built last; recorded on the pods, so that a rebuilt image rolls them.'),
  nodePorts: z
    .strictObject({
      gateway: port.default(30080),
      unleash: port.default(30042),
      openbao: port.default(30082),
      prometheus: port.default(30090),
    })
    .prefault({})
    .superRefine((ports, context) => {
      const taken = new Map<number, string>();
      for (const [name, value] of Object.entries(ports)) {
        const other = taken.get(value);
        if (other !== undefined) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `${value} is taken by ${other}; give each its own`,
          });
        }
        taken.set(value, name);
      }
    })
    .describe('Ports on the node at which people reach the servers.'),
  release: z
    .string()
    .min(1)
    .max(63)
    .default('1.0.0')
    .describe('Release label with which the demo is created; releases after that are made with kubectl.'),
  operatorReplicas: replicas.default(2),
  chatReplicas: replicas.default(2),
  realtimeReplicas: replicas.default(2),
  skipAwait: flag
    .default(false)
    .describe('Do not wait for readiness: for a control plane without a node, where no pod ever runs.'),
});

/** The validated settings, defaults filled in. The secret `seed` travels apart, as a Pulumi secret. */
export type Settings = z.infer<typeof schema>;

/** Names of all settings (besides `seed`), in the order of the documentation. */
export const SETTING_NAMES = Object.keys(schema.shape) as (keyof Settings)[];

/** Settings whose value is a JSON object (`pulumi config set --path`). */
export const OBJECT_SETTINGS: ReadonlySet<string> = new Set(['imageTags', 'imageDigests', 'nodePorts']);

/** Name, meaning and default of each setting, for the README and for people. */
export function describeSettings(): { name: string; meaning: string }[] {
  return Object.entries(schema.shape).map(([name, member]) => ({ name, meaning: member.description ?? '' }));
}

/** The configuration is wrong; the message lists every problem with the setting and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One line a problem: `setting: what is wrong and what to write instead`. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  - ${problem}`).join('\n');
    super(
      `the stack's configuration is wrong in ${problems.length} place${problems.length === 1 ? '' : 's'}:\n${lines}`,
    );
    this.problems = problems;
  }
}

/**
 * Checks raw settings and fills in the defaults.
 *
 * @param raw what `Pulumi.<stack>.yaml` holds, without the project prefix; values of objects already parsed
 * @param hasSeed whether the secret `seed` is set
 * @throws ConfigError with every problem at once
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>, hasSeed: boolean): Settings {
  const result = schema.safeParse(raw);
  const problems = result.success ? [] : result.error.issues.flatMap(explain);
  if (!hasSeed) {
    problems.push(
      'seed: is not set; write it once with `openssl rand -hex 32 | pulumi config set --secret seed` (npm start does so)',
    );
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

function explain(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = where === '' ? key : `${where}.${key}`;
      return where === ''
        ? `${full}: no such setting; there are ${[...SETTING_NAMES, 'seed'].join(', ')}`
        : `${full}: no such member; remove it`;
    });
  }
  return [`${where}: ${issue.message}`];
}
