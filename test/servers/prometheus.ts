// A real Prometheus for tests: scrapes the targets that a test names, once a second.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFile } from '@assistant-platform/local/packages';
import { freePort, startServer } from './child-process.ts';
import type { ServerProcess } from './child-process.ts';

/** What is scraped: an address, a path, and the labels that the series get. */
export interface ScrapeTarget {
  /** host:port */
  readonly address: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrometheusServer {
  readonly url: string;
  /** freeze() it to make it hang. */
  readonly process: ServerProcess;
  remove(): Promise<void>;
}

/** Starts Prometheus. Labels of the metrics win over those of the target, as in the dev stack (infra/components/observability.yaml). */
export async function startPrometheus(targets: readonly ScrapeTarget[]): Promise<PrometheusServer> {
  const command = await packageFile('prometheus', 'prometheus');
  const folder = await mkdtemp(join(tmpdir(), 'assistant-prometheus-'));
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'pods',
        honor_labels: true,
        static_configs: targets.map(({ address, path, labels }) => ({
          targets: [address],
          labels: { __metrics_path__: path, ...labels },
        })),
      },
    ],
  };
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'Prometheus',
    command,
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    isReady: () =>
      fetch(`${url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      ),
  });
  return {
    url,
    process: server,
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
