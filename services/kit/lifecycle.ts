// The life of a process: starting, ready, draining, stopped; what its readiness depends on; how SIGTERM ends it.
import type { Logger } from './log.ts';

export type LifecycleState = 'starting' | 'ready' | 'draining' | 'stopped';

/** What a dependency says of itself. `latencyMs` of the last check or use, where there is one. */
export interface DependencyState {
  readonly ok: boolean;
  readonly detail?: string;
  readonly latencyMs?: number;
}

/**
 * A dependency in /readyz. Only one that nothing works without is `required`: a pod is not taken out of its
 * Service for losing something that all other pods lost as well and that answers can be given without.
 */
export interface Dependency {
  readonly required: boolean;
  readonly state: () => DependencyState;
}

/** Body of /readyz. */
export interface Readiness {
  readonly ready: boolean;
  readonly state: LifecycleState;
  readonly dependencies: Readonly<Record<string, DependencyState & { readonly required: boolean }>>;
}

export interface Lifecycle {
  readonly state: () => LifecycleState;
  /** Names a dependency for /readyz. */
  depend(name: string, dependency: Dependency): void;
  /** Startup is over: /readyz may say yes. */
  started(): void;
  /** Takes the pod out of its Service for good; a drained pod does not come back. */
  drain(): void;
  readiness(): Readiness;
}

export function createLifecycle(): Lifecycle {
  let state: LifecycleState = 'starting';
  const dependencies = new Map<string, Dependency>();
  return {
    state: () => state,
    depend: (name, dependency) => void dependencies.set(name, dependency),
    started: () => {
      if (state === 'starting') state = 'ready';
    },
    drain: () => {
      if (state !== 'stopped') state = 'draining';
    },
    readiness: () => {
      const entries = [...dependencies].map(
        ([name, { required, state: look }]) => [name, { ...look(), required }] as const,
      );
      const ready = state === 'ready' && entries.every(([, entry]) => entry.ok || !entry.required);
      return { ready, state, dependencies: Object.fromEntries(entries) };
    },
  };
}

/** One thing to end when the process ends; run in the order given, each waited for. */
export interface StopStep {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Ends the process on SIGTERM or SIGINT: unready first, then `delayMs` in which requests are still taken (endpoints
 * and gateways need a moment to notice; a preStop sleep does the same and may come on top), then the steps.
 * A second signal, or `timeoutMs` gone by, ends it at once with exit code 1.
 * @returns the promise of the exit, for tests that give their own `exit`
 */
export function stopOnSignal(options: {
  lifecycle: Lifecycle;
  /** Asked when the time has come: what is open then. */
  steps: () => readonly StopStep[];
  delayMs: number;
  timeoutMs: number;
  log: Logger;
  exit?: (code: number) => void;
}): void {
  const exit = options.exit ?? ((code: number) => process.exit(code));
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) {
      options.log.warn({ signal }, 'second signal: ending at once');
      exit(1);
      return;
    }
    stopping = true;
    options.lifecycle.drain();
    options.log.info({ signal, delayMs: options.delayMs }, 'stopping: out of the Service, requests still taken');
    const deadline = setTimeout(() => {
      options.log.error({ timeoutMs: options.timeoutMs }, 'could not stop in time: ending at once');
      exit(1);
    }, options.delayMs + options.timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, options.delayMs));
    let failed = false;
    for (const step of options.steps()) {
      try {
        await step.run();
      } catch (error) {
        failed = true;
        options.log.error({ err: error, step: step.name }, 'a part did not stop cleanly');
      }
    }
    clearTimeout(deadline);
    options.log.info('stopped');
    exit(failed ? 1 : 0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (name) => void stop(name));
}
