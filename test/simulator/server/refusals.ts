// What a real API server answers when it refuses, as the client's errors.
import {
  ApiError,
  type ObjectRef,
  objectKey,
  type ResourceType,
  resourceName,
  TransportError,
} from '@assistant-platform/runtime';
import type { FieldConflict } from './fields.ts';

const refuse = (
  code: number,
  reason: string,
  type: ResourceType,
  ref: ObjectRef | undefined,
  message: string,
  details: { causes?: { reason?: string; message?: string; field?: string }[]; retryAfterSeconds?: number } = {},
): ApiError => {
  const request = `simulated ${resourceName(type)} ${ref === undefined ? '' : objectKey(ref)}`.trim();
  return new ApiError(request, code, { kind: 'Status', status: 'Failure', code, reason, message, details });
};

export const notFound = (type: ResourceType, ref: ObjectRef): ApiError =>
  refuse(404, 'NotFound', type, ref, `${resourceName(type)} "${ref.name}" not found`);

export const alreadyExists = (type: ResourceType, ref: ObjectRef): ApiError =>
  refuse(409, 'AlreadyExists', type, ref, `${resourceName(type)} "${ref.name}" already exists`);

export const conflict = (type: ResourceType, ref: ObjectRef, why: string): ApiError =>
  refuse(409, 'Conflict', type, ref, `Operation cannot be fulfilled on ${resourceName(type)} "${ref.name}": ${why}`);

export const fieldConflict = (type: ResourceType, ref: ObjectRef, conflicts: readonly FieldConflict[]): ApiError =>
  refuse(409, 'Conflict', type, ref, `Apply failed with ${conflicts.length} conflicts`, {
    causes: conflicts.map(({ manager, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${manager}"`,
      field,
    })),
  });

export const invalid = (type: ResourceType, ref: ObjectRef, field: string, message: string): ApiError =>
  refuse(422, 'Invalid', type, ref, `${type.kind} "${ref.name}" is invalid: ${field}: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field }],
  });

/** The version or the token is older than what the server remembers. */
export const expired = (type: ResourceType): ApiError =>
  refuse(410, 'Expired', type, undefined, 'The resourceVersion for the provided watch or list is too old.');

export const tooManyRequests = (type: ResourceType, ref: ObjectRef): ApiError =>
  refuse(429, 'TooManyRequests', type, ref, 'the server has received too many requests', { retryAfterSeconds: 1 });

export const internalError = (type: ResourceType, ref: ObjectRef, why = 'etcdserver: request timed out'): ApiError =>
  refuse(500, 'InternalError', type, ref, why);

export const unavailable = (type: ResourceType, ref: ObjectRef): ApiError =>
  refuse(503, 'ServiceUnavailable', type, ref, 'the server is currently unable to handle the request');

/** No answer came. */
export const noAnswer = (
  type: ResourceType,
  failure: 'Timeout' | 'Connection' | 'Aborted',
  why: string,
): TransportError => new TransportError(`simulated ${resourceName(type)}`, failure, why);
