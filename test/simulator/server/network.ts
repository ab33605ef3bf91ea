// What lies between a client and the simulated API server: time, loss, refusals, and the death of the client itself.
import type { ObjectRef } from '@assistant-platform/runtime';

/** One request, as the network sees it. */
export interface CallInfo {
  readonly client: string;
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'apply' | 'patch' | 'delete' | 'watch' | 'drain' | 'sessions';
  readonly resource: string;
  readonly ref: ObjectRef | undefined;
  /** It changes something if it is carried out. */
  readonly writes: boolean;
}

/** What happens to a request beside its being carried out. */
export type Mishap =
  /** The server refuses it and does nothing. */
  | { readonly kind: 'Refused'; readonly code: 409 | 410 | 429 | 500 | 503 }
  /** It never arrives: nothing is done, the client hears nothing in time. */
  | { readonly kind: 'RequestLost' }
  /** It is carried out, and the client hears nothing in time. */
  | { readonly kind: 'AnswerLost' }
  /** The client dies just before the server gets it, or just after it was carried out. */
  | { readonly kind: 'ClientDies'; readonly when: 'Before' | 'After' };

/** The conditions that a client's requests meet. All times are milliseconds. */
export interface Network {
  /** One way. */
  latency(call: CallInfo): number;
  mishap(call: CallInfo): Mishap | undefined;
  /** How long after a change a watch tells of it. */
  watchLag(call: CallInfo): number;
  /** How many of the latest known events a new watch sends once more. */
  replays(call: CallInfo): number;
}

/** Nothing goes wrong, and everything takes a moment. */
export const calm: Network = {
  latency: () => 1,
  mishap: () => undefined,
  watchLag: () => 2,
  replays: () => 0,
};
