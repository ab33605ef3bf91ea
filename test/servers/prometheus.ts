// A real Prometheus as a child process, with the very configuration of the dev tier (infra/components/observability.yaml): only the scrape interval is
// shorter, and pods are those that the test says, told over the same HTTP discovery that the sidecar offers in the cluster.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageFile } from '@assistant-platform/local/packages';
import { eventually, freePort, startServer } from './child-process.ts';
import type { ServerProcess } from './child-process.ts';

/** A pod to be scraped, as its labels and annotations tell it in a cluster. */
export interface ScrapedPod {
  readonly namespace: string;
  readonly name: string;
  /** The AssistantDeployment. */
  readonly assistant: string;
  readonly component: string;
  readonly revision: string;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly path: string;
}

export interface PrometheusServer {
  readonly url: string;
  /** The process of the moment: freeze() it to make it hang. */
  readonly process: () => ServerProcess;
  /** Replaces the pods; takes effect within a second. */
  setPods(pods: readonly ScrapedPod[]): void;
  /** Resolves once every pod (and no other) was scraped since this call. */
  scraped(): Promise<void>;
  /** Stops it, keeping its data. `crash`: SIGKILL. */
  down(how?: 'crash'): Promise<void>;
  /** Starts it again on the same port with its data. */
  up(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

const configuration = join(import.meta.dirname, '../../infra/components/observability.yaml');

/** Scrapes the pods once a second. `past`: what it has seen before, as OpenMetrics text with time stamps. */
export async function startPrometheus(
  scraped: readonly ScrapedPod[] = [],
  { past }: { readonly past?: string } = {},
): Promise<PrometheusServer> {
  const command = await packageFile('prometheus', 'prometheus');
  const folder = await mkdtemp(join(tmpdir(), 'assistant-prometheus-'));
  const port = await freePort();
  let pods = scraped;
  const discovery = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(pods.map(targetOf)));
  });
  await new Promise<void>((resolve) => discovery.listen(0, '127.0.0.1', resolve));
  const discoveryUrl = `http://127.0.0.1:${(discovery.address() as AddressInfo).port}/pods`;
  await writeFile(join(folder, 'prometheus.yml'), quickened(await readFile(configuration, 'utf8'), discoveryUrl));

  const data = join(folder, 'data');
  if (past !== undefined) {
    const openMetrics = join(folder, 'past.txt');
    await writeFile(openMetrics, past);
    const promtool = await packageFile('prometheus', 'promtool');
    await promisify(execFile)(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', openMetrics, data]);
  }

  const url = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    try {
      return (await fetch(`${url}/-/ready`)).ok;
    } catch {
      // Not listening yet.
      return false;
    }
  };
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const start = (): Promise<ServerProcess> => startServer({ name: 'Prometheus', command, args, isReady });
  let server = await start();
  const allScraped = async (): Promise<void> => {
    const since = Date.now();
    const names = new Set(pods.map(({ name }) => name));
    await eventually(
      `all ${pods.length} pods scraped`,
      async () => {
        const targets = await activeTargets(url);
        const late = targets.filter(
          ({ labels, health, lastScrape }) =>
            !names.has(labels['pod'] ?? '') || health !== 'up' || Date.parse(lastScrape) < since,
        );
        return targets.length === pods.length && late.length === 0 ? true : undefined;
      },
      30_000,
    );
  };
  return {
    url,
    process: () => server,
    setPods(next) {
      pods = next;
    },
    scraped: allScraped,
    down: (how) => (how === 'crash' ? server.kill() : server.stop()),
    async up() {
      server = await start();
    },
    async remove() {
      await server.stop();
      discovery.closeAllConnections();
      await new Promise((resolve) => discovery.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The configuration with a shorter interval and another discovery. @throws when it does not have what is replaced */
function quickened(text: string, discoveryUrl: string): string {
  const replaced: readonly (readonly [RegExp, string])[] = [
    [/scrape_interval: \w+/, 'scrape_interval: 1s'],
    [/scrape_timeout: \w+/, 'scrape_timeout: 1s'],
    [/url: http:\S+/, `url: ${discoveryUrl}`],
    [/refresh_interval: \w+/, 'refresh_interval: 1s'],
  ];
  return replaced.reduce((config, [pattern, by]) => {
    if (!pattern.test(config)) throw new Error(`${configuration} has no ${pattern.source}: change quickened() with it`);
    return config.replace(pattern, by);
  }, text);
}

/** A pod as infra/jobs/pod-discovery.mjs tells it. */
function targetOf({ namespace, name, assistant, component, revision, port, path }: ScrapedPod): object {
  return {
    targets: ['127.0.0.1'],
    labels: {
      __meta_kubernetes_namespace: namespace,
      __meta_kubernetes_pod_name: name,
      __meta_kubernetes_pod_ip: '127.0.0.1',
      __meta_kubernetes_pod_annotation_prometheus_io_port: String(port),
      __meta_kubernetes_pod_annotation_prometheus_io_path: path,
      __meta_kubernetes_pod_label_app_kubernetes_io_name: component,
      __meta_kubernetes_pod_label_assistant_platform_io_name: assistant,
      __meta_kubernetes_pod_label_assistant_platform_io_component: component,
      __meta_kubernetes_pod_label_assistant_platform_io_revision: revision,
    },
  };
}

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastScrape: string;
}

async function activeTargets(url: string): Promise<readonly Target[]> {
  const answer = await fetch(`${url}/api/v1/targets?state=active`);
  return ((await answer.json()) as { data: { activeTargets: Target[] } }).data.activeTargets;
}
