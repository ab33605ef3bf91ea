// What can go wrong between us and the API server, as types: an answer that refuses (ApiError), no answer (TransportError).

/** One reason of many in a Status, naming the field (metav1.StatusCause). */
export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** metav1.Status: what the API server answers when it refuses. */
export interface ApiStatus {
  kind?: string;
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: { name?: string; kind?: string; uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number };
}

/** The API server answered, and refused. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly code: number;
  /** Machine-readable reason, for example `NotFound`, `Conflict`, `Invalid`, `Expired`. */
  readonly reason: string;
  readonly status: ApiStatus;
  /** How long the server asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Method and path of the request, for example `GET /api/v1/pods`. */
  readonly request: string;

  constructor(request: string, code: number, status: ApiStatus, retryAfterMs?: number) {
    super(`${request}: ${code} ${status.reason ?? ''}: ${status.message ?? 'no message from the API server'}`);
    this.code = code;
    this.reason = status.reason ?? reasonOf(code);
    this.status = status;
    this.request = request;
    const fromBody = status.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (fromBody === undefined ? undefined : fromBody * 1000);
  }

  /** The single reasons, with their fields, of an Invalid or Conflict. */
  get causes(): StatusCause[] {
    return this.status.details?.causes ?? [];
  }
}

/** Why there was no usable answer. */
export type TransportFailure = 'Connection' | 'Timeout' | 'Aborted' | 'Malformed' | 'TooLong' | 'Credentials';

/**
 * No usable answer came: whether a write took effect is not known. `failure` says why, `cause` keeps the underlying error.
 */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly failure: TransportFailure;
  readonly request: string;

  constructor(request: string, failure: TransportFailure, message: string, cause?: unknown) {
    super(`${request}: ${message}`, cause === undefined ? undefined : { cause });
    this.failure = failure;
    this.request = request;
  }
}

// The reasons that apimachinery gives to bare HTTP codes (k8s.io/apimachinery/pkg/api/errors, NewGenericServerResponse).
const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const reasonOf = (code: number): string => reasons[code] ?? 'Unknown';

const hasCode = (error: unknown, code: number): error is ApiError => error instanceof ApiError && error.code === code;

/** The object, or its type, does not exist. */
export const isNotFound = (error: unknown): error is ApiError => hasCode(error, 404);
/** An object of that name exists already (409 AlreadyExists). */
export const isAlreadyExists = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.reason === 'AlreadyExists';
/** The object changed since it was read, or another manager owns a field (409 Conflict). */
export const isConflict = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.reason !== 'AlreadyExists';
/** The resource version or the continue token is too old: list anew. */
export const isGone = (error: unknown): error is ApiError => hasCode(error, 410);
/** The object breaks the schema or a rule; `causes` names the fields. */
export const isInvalid = (error: unknown): error is ApiError => hasCode(error, 422);
/** The body of a server-side apply does not fit the type: an unknown member, a text for a number. The API server calls that an error of its own (500). */
export const isMistyped = (error: unknown): error is ApiError =>
  hasCode(error, 500) && error.message.includes('failed to create typed patch object');
/** No answer came in time, or nothing more of it. */
export const isTimeout = (error: unknown): error is TransportError =>
  error instanceof TransportError && error.failure === 'Timeout';
/** No more was read of the answer: it is longer than asked for. */
export const isTooLong = (error: unknown): error is TransportError =>
  error instanceof TransportError && error.failure === 'TooLong';
/** A refusal that no repetition changes, until a person does something: no right, a broken rule, a body that does not fit the type. */
export const isRefusal = (error: unknown): error is ApiError =>
  isForbidden(error) || isInvalid(error) || isMistyped(error);
/** The server is busy or a budget is used up (also an eviction that a PodDisruptionBudget forbids). */
export const isTooManyRequests = (error: unknown): error is ApiError => hasCode(error, 429);
export const isForbidden = (error: unknown): error is ApiError => hasCode(error, 403);
export const isUnauthorized = (error: unknown): error is ApiError => hasCode(error, 401);
/** The namespace is being deleted: nothing can be created in it (403 with cause NamespaceTerminating). */
export const isNamespaceTerminating = (error: unknown): error is ApiError =>
  isForbidden(error) && error.causes.some((cause) => cause.reason === 'NamespaceTerminating');
