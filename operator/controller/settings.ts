// Settings of the operator's process: flags win over the environment; all that is wrong is said at once.
import { parseArgs } from 'node:util';
import { parseDuration } from '@assistant-platform/api';

export interface OperatorSettings {
  readonly cluster: { readonly kubeconfig?: string; readonly context?: string };
  /** Null: all namespaces. */
  readonly namespaces: readonly string[] | null;
  /** Health and metrics. */
  readonly port: number;
  readonly logLevel: string;
  /** Null: no election, this process just leads. */
  readonly election: { readonly namespace: string; readonly name: string; readonly identity?: string } | null;
  /** See Settings of operator/rollout. */
  readonly settleMs: number;
  readonly podAddress: string | null;
  /** Base URL of the Prometheus that analyses ask; null: none, they wait. */
  readonly prometheusUrl: string | null;
  /** Base address of an OTLP/HTTP collector of traces; null: none. */
  readonly otlpEndpoint: string | null;
  readonly rateLimit: { readonly rate: number; readonly burst: number };
}

export const USAGE = `assistant-operator: releases AssistantDeployments

  --kubeconfig FILE        cluster to work in (default: the pod's service account, else KUBECONFIG)
  --context NAME           context of the kubeconfig
  --namespaces A,B         WATCH_NAMESPACES    namespaces to work in; empty: all
  --port N                 PORT                /healthz, /readyz and /metrics (default 8080)
  --log-level LEVEL        LOG_LEVEL           trace, debug, info, warn, error (default info)
  --lease-namespace NAME   POD_NAMESPACE       namespace of the leader's lease; without it there is no election
  --lease-name NAME        LEASE_NAME          (default assistant-operator)
  --identity NAME          POD_NAME            who holds the lease
  --settle DURATION        ROUTE_SETTLE        from the gateway's acceptance of a route until traffic is taken to have moved (default 2s)
  --prometheus URL         ASSISTANT_PROMETHEUS_URL   Prometheus that analyses ask, such as http://prometheus.monitoring:9090; without it they wait
                           OTEL_EXPORTER_OTLP_ENDPOINT   collector of traces (OTLP/HTTP): a trace for each rollout, a span for each step
  --pod-address URL        POD_ADDRESS         admin port of a pod, with {ip} {port} {namespace} {pod} (default http://{ip}:{port})`;

/** Something in the settings is wrong. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
// A guard against a fault of ours, not a brake: a hundred canaries at once need thousands of requests, and the API server shares itself out
// (API Priority and Fairness).
const RATE_LIMIT = { rate: 500, burst: 1000 };

/**
 * Reads flags and environment.
 * @throws SettingsError naming everything that is wrong.
 */
export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorSettings | 'Help' {
  const flags = parseFlags(args);
  if (flags.help === true) return 'Help';
  const problems: string[] = [];
  const check = <T>(what: string, read: () => T, valid: (value: T) => boolean): T | undefined => {
    try {
      const value = read();
      if (valid(value)) return value;
      problems.push(`${what}: ${String(value)} is out of range`);
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
    return undefined;
  };
  // An empty one is none, as charts and scripts have it.
  const given = (flag: string | undefined, variable: string): string | undefined =>
    [flag, env[variable]].find((text) => text !== undefined && text !== '');
  const port = check(
    'port',
    () => readNumber(given(flags.port, 'PORT') ?? '8080'),
    (value) => Number.isInteger(value) && value >= 0 && value < 65_536,
  );
  const settleMs = check(
    'settle',
    () => parseDuration(given(flags.settle, 'ROUTE_SETTLE') ?? '2s'),
    () => true,
  );
  const logLevel = check(
    'log-level',
    () => given(flags['log-level'], 'LOG_LEVEL') ?? 'info',
    (value) => LEVELS.includes(value),
  );
  const prometheusUrl = check(
    'prometheus',
    () => readUrl(given(flags.prometheus, 'ASSISTANT_PROMETHEUS_URL') ?? ''),
    () => true,
  );
  const otlpEndpoint = check(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    () => readUrl(env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''),
    () => true,
  );
  const podAddress = check(
    'pod-address',
    () => readPodAddress(given(flags['pod-address'], 'POD_ADDRESS') ?? ''),
    () => true,
  );
  // Here an empty flag says something: all namespaces, whatever the environment names.
  const names = check(
    'namespaces',
    () => readNames(flags.namespaces ?? env['WATCH_NAMESPACES'] ?? ''),
    () => true,
  );
  const leaseNamespace = given(flags['lease-namespace'], 'POD_NAMESPACE') ?? '';
  const identity = given(flags.identity, 'POD_NAME');
  if (
    problems.length > 0 ||
    port === undefined ||
    settleMs === undefined ||
    logLevel === undefined ||
    names === undefined
  ) {
    throw new SettingsError(`settings of assistant-operator: ${problems.join('; ')}`);
  }
  return {
    cluster: {
      ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
      ...(flags.context === undefined ? {} : { context: flags.context }),
    },
    namespaces: names.length === 0 ? null : names,
    port,
    logLevel,
    election:
      leaseNamespace === ''
        ? null
        : {
            namespace: leaseNamespace,
            name: given(flags['lease-name'], 'LEASE_NAME') ?? 'assistant-operator',
            ...(identity === undefined ? {} : { identity }),
          },
    settleMs,
    podAddress: podAddress ?? null,
    prometheusUrl: prometheusUrl ?? null,
    otlpEndpoint: otlpEndpoint ?? null,
    rateLimit: RATE_LIMIT,
  };
}

/** @throws Error for what is no whole number. */
function readNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new Error(`"${text}" is no whole number`);
  return Number(text);
}

/** @throws Error for what can be the name of no namespace. */
function readNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/.test(name));
  if (wrong !== undefined)
    throw new Error(`"${wrong}" is no name of a namespace: write names, separated by commas, such as assistants,other`);
  return [...new Set(names.filter((name) => name !== ''))];
}

/** @throws Error for what is no address once its places are filled, or the same for every pod. */
function readPodAddress(text: string): string | null {
  if (text === '') return null;
  const filled = text.replace(/\{(ip|port|namespace|pod)\}/g, '1');
  if (!/\{(ip|pod)\}/.test(text) || /[{}]/.test(filled) || !URL.canParse(filled) || !/^https?:/.test(filled))
    throw new Error(`"${text}" is no address of a pod: write one such as http://{ip}:{port}`);
  return text;
}

/** @throws Error for what is no http URL; null for none. */
function readUrl(text: string): string | null {
  if (text === '') return null;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    const seen = text.replace(/^.*@/s, '…@'); // credentials
    throw new Error(`"${seen}" is no address: write one such as http://prometheus.monitoring:9090`);
  }
  return text;
}

function parseFlags(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        kubeconfig: text,
        context: text,
        namespaces: text,
        port: text,
        'log-level': text,
        'lease-namespace': text,
        'lease-name': text,
        identity: text,
        settle: text,
        'pod-address': text,
        prometheus: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
