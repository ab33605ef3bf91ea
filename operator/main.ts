// The operator as a process: settings from the environment and flags, then the manager runs until SIGTERM or the loss of the lease.
import { connectionFromEnvironment, LeadershipLostError, Manager, stopSignal } from '@assistant-platform/runtime';
import { type Logger, pino } from 'pino';
import { AssistantController } from './controller/controller.ts';
import { type OperatorSettings, readSettings, SettingsError, USAGE } from './controller/settings.ts';
import { PrometheusClient } from './metrics/prometheus-client.ts';
import { PrometheusSource } from './metrics/prometheus-source.ts';

async function run(settings: OperatorSettings, log: Logger): Promise<void> {
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
}

/** What ends the process is a line of its log like any other: whoever collects the log reads lines of JSON. */
function crash(log: Logger, error: unknown): never {
  if (error instanceof LeadershipLostError) log.fatal(`${error.message}: ending, so that another one may work`);
  else log.fatal({ err: error }, 'assistant-operator ends by an error');
  process.exit(1);
}

/** The settings; what is wrong with them is for the person who starts it, as text. */
function settingsOrEnd(): OperatorSettings {
  try {
    const settings = readSettings(process.argv.slice(2), process.env);
    if (settings !== 'Help') return settings;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(1);
  }
}

const settings = settingsOrEnd();
const log = pino(
  {
    level: settings.logLevel,
    base: undefined,
    formatters: { level: (level) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  // Each line is out before the next thing happens: what is on its way at the end would come behind or in the middle of the last lines, or be lost.
  pino.destination({ fd: 1, sync: true }),
);
process.on('uncaughtException', (error) => crash(log, error));
run(settings, log).catch((error: unknown) => crash(log, error));
