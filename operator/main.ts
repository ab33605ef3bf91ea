// The operator as a process: settings from the environment and flags, then the manager runs until SIGTERM or the loss of the lease.
import { connectionFromEnvironment, LeadershipLostError, Manager, stopSignal } from '@assistant-platform/runtime';
import { pino } from 'pino';
import { AssistantController } from './controller/controller.ts';
import { readSettings, SettingsError, USAGE } from './controller/settings.ts';
import { PrometheusClient } from './metrics/prometheus-client.ts';
import { PrometheusSource } from './metrics/prometheus-source.ts';

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === 'Help') {
    console.log(USAGE);
    return 0;
  }
  const log = pino({
    level: settings.logLevel,
    base: undefined,
    formatters: { level: (level) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const endTelemetry =
    settings.otlpEndpoint === null ? null : (await import('./telemetry.ts')).startTelemetry(settings.otlpEndpoint, log);
  const manager = new Manager({
    name: 'assistant-operator',
    reportingController: 'assistant-platform.io/operator',
    connection: await connectionFromEnvironment(settings.cluster),
    rateLimit: settings.rateLimit,
    logger: log,
    http: { port: settings.port },
    ...(settings.namespaces === null ? {} : { namespaces: settings.namespaces }),
    ...(settings.election === null ? {} : { leaderElection: settings.election }),
  });
  new AssistantController(manager, {
    settings: { settleMs: settings.settleMs },
    ...(settings.podAddress === null ? {} : { podAddress: settings.podAddress }),
    ...(settings.prometheusUrl === null
      ? {}
      : {
          metricSource: new PrometheusSource(new PrometheusClient({ url: settings.prometheusUrl }), () =>
            manager.clock.now(),
          ),
        }),
  });
  log.info({ namespaces: settings.namespaces ?? 'all', settleMs: settings.settleMs }, 'assistant-operator starts');
  try {
    await manager.run(stopSignal());
  } finally {
    await endTelemetry?.();
  }
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof SettingsError) console.error(`${error.message}\n\n${USAGE}`);
    else if (error instanceof LeadershipLostError)
      console.error(`${error.message}: ending, so that another one may work`);
    else console.error(error);
    process.exit(1);
  },
);
