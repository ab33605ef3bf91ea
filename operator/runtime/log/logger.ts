// The logging interface of this package (pino fits it), and a small JSON logger for programs that bring none.

/** Structured fields of a log line. The field `err` holds an Error (pino's convention): it is written with its causes. */
export type LogFields = Record<string, unknown>;

/** Where log lines go. A pino logger can be passed as it is. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds the given fields to each line. */
  child(fields: LogFields): Logger;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** An error as log fields: message, name, code, stack, and its cause likewise. */
export const errorFields = (error: unknown): LogFields => {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
};

/** Writes one JSON object a line: `{"level","time","msg",...fields}`. */
export const jsonLogger = (
  write: (line: string) => void = (line) => process.stdout.write(line),
  least: LogLevel = 'info',
  bound: LogFields = {},
): Logger => {
  const log = (level: LogLevel, fields: LogFields, message: string) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    const error = 'err' in fields ? { err: errorFields(fields['err']) } : {};
    write(
      `${JSON.stringify({ level, time: new Date().toISOString(), msg: message, ...bound, ...fields, ...error })}\n`,
    );
  };
  return {
    debug: (fields, message) => log('debug', fields, message),
    info: (fields, message) => log('info', fields, message),
    warn: (fields, message) => log('warn', fields, message),
    error: (fields, message) => log('error', fields, message),
    child: (fields) => jsonLogger(write, least, { ...bound, ...fields }),
  };
};

/** Drops every line. */
export const silentLogger: Logger = jsonLogger(() => undefined);
