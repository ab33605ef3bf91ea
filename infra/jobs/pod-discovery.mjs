/**
 * Tells Prometheus which pods to scrape, over its HTTP service discovery.
 *
 * Debian's Prometheus is compiled without the discovery of Kubernetes. This sidecar answers in its place, with the same
 * `__meta_kubernetes_*` labels, so that the relabelling is the one that people know. Plain JavaScript without
 * dependencies; every answer is a fresh list from the API server, so there is nothing to go stale. When the API server is
 * away it answers 503, and Prometheus keeps the targets that it has.
 *
 * Environment: PORT (loopback), API_SERVER and SERVICE_ACCOUNT for tests.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';

const { env } = process;
const folder = env.SERVICE_ACCOUNT ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const server = env.API_SERVER ?? `https://${env.KUBERNETES_SERVICE_HOST}:${env.KUBERNETES_SERVICE_PORT}`;
const PAGE = 500;
const TIMEOUT_MS = 5_000;

/** One GET to the API server. The token is read each time: the kubelet renews it. */
function get(path) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${readFileSync(`${folder}/token`, 'utf8').trim()}`,
      accept: 'application/json',
    };
    const call = request(
      `${server}${path}`,
      { headers, ca: readFileSync(`${folder}/ca.crt`), timeout: TIMEOUT_MS },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          const refuse = (cause) =>
            reject(new Error(`GET ${path} answered ${response.statusCode}: ${body.slice(0, 300)}`, { cause }));
          if (response.statusCode !== 200) return refuse();
          // Nobody catches what is thrown in a listener: it would end the process.
          try {
            resolve(JSON.parse(body));
          } catch (error) {
            refuse(error);
          }
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`GET ${path}: no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', reject);
    call.end();
  });
}

async function listPods() {
  const pods = [];
  let next = '';
  do {
    const from = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const page = await get(`/api/v1/pods?fieldSelector=status.phase%3DRunning&limit=${PAGE}${from}`);
    pods.push(...page.items);
    next = page.metadata.continue ?? '';
  } while (next !== '');
  return pods;
}

/** As Prometheus writes label names: what is no letter, digit or underscore becomes an underscore. */
const labelName = (name) => name.replaceAll(/[^a-zA-Z0-9_]/g, '_');

const prefixed = (prefix, entries) =>
  Object.fromEntries(Object.entries(entries ?? {}).map(([name, value]) => [`${prefix}${labelName(name)}`, value]));

/** One target group: the pod's address and what is known about it. */
function target({ metadata, status }) {
  return {
    targets: [status.podIP],
    labels: {
      __meta_kubernetes_namespace: metadata.namespace,
      __meta_kubernetes_pod_name: metadata.name,
      __meta_kubernetes_pod_ip: status.podIP,
      ...prefixed('__meta_kubernetes_pod_label_', metadata.labels),
      ...prefixed('__meta_kubernetes_pod_annotation_', metadata.annotations),
    },
  };
}

const wanted = ({ metadata, status }) =>
  metadata.annotations?.['prometheus.io/scrape'] === 'true' && status.podIP !== undefined;

const http = createServer(async (_, response) => {
  try {
    const body = JSON.stringify((await listPods()).filter(wanted).map(target));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  } catch (error) {
    console.error(JSON.stringify({ level: 'error', msg: 'no list of pods', error: String(error) }));
    response.writeHead(503).end();
  }
});
http.listen(Number(env.PORT ?? '9099'), '127.0.0.1', () =>
  console.log(JSON.stringify({ level: 'info', msg: 'listening', port: http.address().port })),
);
process.on('SIGTERM', () => http.close(() => process.exit(0)));
