// What can go wrong before anything is known of a rollout: one class, stable codes, and a message that says what to do.

/** Stable codes, for scripts (`-o json` prints them) and tests. */
export type ErrorCode =
  | 'NoCluster'
  | 'ClusterUnreachable'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotInstalled'
  | 'NotFound'
  | 'NothingToDo'
  | 'Changed'
  | 'Refused'
  | 'BadUsage';

/** Exit code when the question could not be put or answered; 0 to 2 speak of the rollout (see verdict.ts). */
export const EXIT_ERROR = 3;

/** An error for people: what, where, what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
