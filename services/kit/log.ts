// Structured JSON logs on standard output, with the revision in every line and secrets and message texts taken out.
// No pino transports: they start worker threads from file names, which a bundled image does not have.
import { trace } from '@opentelemetry/api';
import pino from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

/** Fields that never reach a log line, at the top and one level down. */
const secretFields = [
  'authorization',
  'cookie',
  'password',
  'token',
  'tokenSigningKey',
  'redisPassword',
  'unleashToken',
];
/** What people wrote: personal, and never needed to find a fault. */
const personalFields = ['text', 'body', 'prompt', 'answer'];
/** The arguments of a command that Redis refused, as ioredis puts them into its errors: messages, answers, passwords. */
const commandFields = ['err.command.args', 'err.previousErrors'];

/** What a logger says of the process it belongs to. */
export interface LogIdentity {
  readonly component: string;
  readonly revision: string;
  readonly release: string;
}

/** @param destination standard output by default; a test gives its own stream */
export function createLogger(level: string, identity: LogIdentity, destination?: DestinationStream): Logger {
  const fields = [...secretFields, ...personalFields];
  return pino(
    {
      level,
      base: identity,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [...fields, ...fields.map((f) => `*.${f}`), '*.headers.authorization', ...commandFields],
        censor: '[redacted]',
      },
      // Ties a line to the span it was written in.
      mixin: () => {
        const context = trace.getActiveSpan()?.spanContext();
        return context === undefined ? {} : { traceId: context.traceId, spanId: context.spanId };
      },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
