// What the supervisor says of an instance: its phase and the state of every component, as written to `status.json`.
import { readJson } from './state-file.ts';

/** Where an instance is in its life. `failed` says why in `failure`; nothing runs any more. */
export type Phase = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';

/** Where a component is in its life. */
export type ComponentState = 'waiting' | 'starting' | 'ready' | 'restarting' | 'stopped';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** RFC 3339. */
  readonly at: string;
  readonly ranForMs: number;
}

/** One component. */
export interface ComponentStatus {
  readonly state: ComponentState;
  /** In the instance's own PID namespace, where it has one. */
  readonly pid?: number;
  readonly startedAt?: string;
  readonly readyAt?: string;
  /** Unasked-for ends since the instance started. */
  readonly restarts: number;
  readonly lastExit?: Exit;
}

/** The content of `status.json`. Times are RFC 3339. */
export interface SupervisorStatus {
  readonly id: string;
  readonly phase: Phase;
  readonly startedAt: string;
  readonly failure?: string;
  readonly components: Readonly<Record<string, ComponentStatus>>;
}

/** The last status that the supervisor wrote, or undefined when it never did. */
export function readStatus(path: string): Promise<SupervisorStatus | undefined> {
  return readJson<SupervisorStatus>(path);
}

/** "was ended by SIGKILL" or "exited with code 2". */
export function describeExit(exit: Pick<Exit, 'code' | 'signal'>): string {
  return exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
}
