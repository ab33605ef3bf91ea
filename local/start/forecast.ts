// The first screen of `npm start`: what will be done, and about how long each part takes on this machine. Pure.

/** What is known before anything is done. */
export interface Forecast {
  readonly context: string | undefined;
  /** Seconds until all programs are compiled; 0 when they are in the cache. */
  readonly compileSeconds: number;
  /** Packages (databases, gateway, model, ...) that are not in the cache. */
  readonly missingPackages: number;
  /** Debian packages that will be installed. */
  readonly systemPackages: readonly string[];
  /** The cluster runs already. */
  readonly running: boolean;
  /** The stack was brought up before. */
  readonly stackThere: boolean;
}

// Measured on two cores; see docs/benchmarks.md.
const SECONDS_PER_PACKAGE = 6;
const IMAGES_FRESH = 60;
const IMAGES_CACHED = 5;
const CLUSTER = 15;
const UP_FRESH = 90;
const UP_AGAIN = 20;

/** One part: what, how long in seconds, and what is to say about it. */
export interface Part {
  readonly what: string;
  readonly seconds: number;
  readonly note: string;
}

/** The parts of a start in order. Programs, packages and images overlap. */
export function partsOf(forecast: Forecast): Part[] {
  const { context, compileSeconds, missingPackages, systemPackages, running, stackThere } = forecast;
  const fresh = compileSeconds > 0 || missingPackages > 0;
  return [
    ...(systemPackages.length === 0
      ? []
      : [{ what: 'system packages', seconds: 30, note: `installs ${systemPackages.join(', ')}` }]),
    {
      what: 'programs',
      seconds: compileSeconds,
      note:
        compileSeconds === 0
          ? 'in the cache'
          : 'compiles Kubernetes, etcd, Pulumi and more from source, once a machine',
    },
    {
      what: 'packages',
      seconds: missingPackages * SECONDS_PER_PACKAGE,
      note: missingPackages === 0 ? 'in the cache' : `fetches ${missingPackages} (databases, gateway, local model)`,
    },
    { what: 'images', seconds: fresh ? IMAGES_FRESH : IMAGES_CACHED, note: 'builds what changed, without Docker' },
    context === undefined
      ? {
          what: 'cluster',
          seconds: running ? 1 : CLUSTER,
          note: running ? 'runs already' : 'a real Kubernetes on this machine',
        }
      : { what: 'cluster', seconds: 2, note: `context ${context} of your kubeconfig` },
    {
      what: 'pulumi up',
      seconds: stackThere ? UP_AGAIN : UP_FRESH,
      note: 'databases, secrets, flags, metrics, gateway, operator, and the assistant "demo"',
    },
    { what: 'first answer', seconds: 10, note: 'asks the assistant a question until its model answers' },
  ];
}

/** The screen. */
export function describeForecast(forecast: Forecast): string {
  const parts = partsOf(forecast);
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = parts.map(
    ({ what, seconds, note }) => `  ${what.padEnd(16)} ${duration(seconds).padStart(12)}   ${note}`,
  );
  return [
    `This starts the assistant platform on ${forecast.context === undefined ? 'this machine' : 'your cluster'}:`,
    '',
    ...rows,
    '',
    `Altogether about ${duration(total)} here, rather less, for the first parts overlap. ${forecast.context === undefined ? 'Stop with npm run stop, remove' : 'Remove'} with npm run clean.`,
    '',
  ].join('\n');
}

/** "at once", "42 s", "9 min". */
export function duration(seconds: number): string {
  if (seconds < 1) return 'at once';
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}
