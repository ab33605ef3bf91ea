// The error table of the services: stable codes, their HTTP status, and what a person reads (English, Russian).
// HTTP answers carry them as problem details (RFC 9457), sockets as `error` frames.

/** Languages that messages exist in. */
export type Language = 'en' | 'ru';

interface TableEntry {
  readonly status: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly en: string;
  readonly ru: string;
}

/** One table a product: a code is never renamed or given another meaning; new ones are added. */
export const problemTable = {
  bad_request: {
    status: 400,
    retryable: false,
    en: 'The request cannot be understood. Check its form and send it again.',
    ru: 'Запрос не удалось разобрать. Проверьте его вид и отправьте снова.',
  },
  unauthorized: {
    status: 401,
    retryable: false,
    en: 'A valid access token is needed. Get one from POST /v1/sessions.',
    ru: 'Нужен действующий токен доступа. Получите его через POST /v1/sessions.',
  },
  forbidden: {
    status: 403,
    retryable: false,
    en: 'This is not allowed with the credentials given.',
    ru: 'С этими правами действие недоступно.',
  },
  not_found: {
    status: 404,
    retryable: false,
    en: 'There is nothing at this address.',
    ru: 'По этому адресу ничего нет.',
  },
  payload_too_large: {
    status: 413,
    retryable: false,
    en: 'The message is too large. Shorten it.',
    ru: 'Сообщение слишком большое. Сократите его.',
  },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    en: 'Send the body as application/json.',
    ru: 'Передайте тело запроса как application/json.',
  },
  invalid_input: {
    status: 422,
    retryable: false,
    en: 'Some fields are wrong; they are listed in `errors`.',
    ru: 'Некоторые поля неверны; они перечислены в `errors`.',
  },
  unknown_type: {
    status: 422,
    retryable: false,
    en: 'This frame type is not known. The types are in the protocol description.',
    ru: 'Такой тип кадра неизвестен. Типы перечислены в описании протокола.',
  },
  not_joined: {
    status: 409,
    retryable: false,
    en: 'Join the conversation with a `resume` frame first.',
    ru: 'Сначала войдите в беседу кадром `resume`.',
  },
  too_many_conversations: {
    status: 409,
    retryable: false,
    en: 'This socket has joined as many conversations as it may.',
    ru: 'Через это соединение открыто предельное число бесед.',
  },
  in_progress: {
    status: 409,
    retryable: true,
    en: 'This message is being answered already. Ask again in a moment with the same client id.',
    ru: 'На это сообщение уже готовится ответ. Повторите запрос чуть позже с тем же идентификатором.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    en: 'Too many messages in a short time. Wait a little and go on.',
    ru: 'Слишком много сообщений за короткое время. Подождите немного.',
  },
  internal: {
    status: 500,
    retryable: true,
    en: 'Something went wrong on our side. Try again; if it stays, name the request id.',
    ru: 'Произошла ошибка на нашей стороне. Повторите; если не поможет, сообщите номер запроса.',
  },
  not_implemented: {
    status: 501,
    retryable: false,
    en: 'This version does not offer that.',
    ru: 'Эта версия такого не умеет.',
  },
  storage_unavailable: {
    status: 503,
    retryable: true,
    en: 'The message could not be stored just now. Send it again in a moment.',
    ru: 'Сообщение сейчас не удалось сохранить. Отправьте его ещё раз чуть позже.',
  },
  draining: {
    status: 503,
    retryable: true,
    en: 'This server is being replaced. Connect again.',
    ru: 'Этот сервер заменяется. Подключитесь снова.',
  },
  overloaded: {
    status: 503,
    retryable: true,
    en: 'The service is at its limit. Try again in a moment.',
    ru: 'Сервис перегружен. Повторите чуть позже.',
  },
  not_ready: {
    status: 503,
    retryable: true,
    en: 'The service is still starting. Try again in a moment.',
    ru: 'Сервис ещё запускается. Повторите чуть позже.',
  },
} as const satisfies Record<string, TableEntry>;

export type ProblemCode = keyof typeof problemTable;

/** One wrong field of a request. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** An error that a client is told about, by its code in {@link problemTable}. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    options: { detail?: string; fields?: readonly FieldProblem[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(options.detail ?? problemTable[code].en, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problemTable[this.code].status;
  }

  get retryable(): boolean {
    return problemTable[this.code].retryable;
  }
}

/** Problem details as sent (RFC 9457), with our members: code, retryable, requestId, errors. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly retryable: boolean;
  readonly requestId: string;
  readonly errors?: readonly FieldProblem[];
}

/** What a client is told of `problem`: only table texts and field messages, never a cause or a stack. */
export function problemDetails(problem: Problem, requestId: string, language: Language): ProblemDetails {
  return {
    type: `urn:assistant-platform:problem:${problem.code}`,
    title: problemTable[problem.code][language],
    status: problem.status,
    code: problem.code,
    retryable: problem.retryable,
    requestId,
    ...(problem.fields.length > 0 ? { errors: problem.fields } : {}),
  };
}

/** The better liked of our languages in an Accept-Language header (RFC 9110, 12.5.4); English when none is named. */
export function preferredLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'en';
  const liked = acceptLanguage
    .split(',')
    .map((part, index) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const q = parameters.map((p) => /^\s*q=([\d.]+)/.exec(p)?.[1]).find((value) => value !== undefined);
      return { language: tag.split('-')[0], quality: q === undefined ? 1 : Number(q), index };
    })
    .filter((entry) => (entry.language === 'en' || entry.language === 'ru') && entry.quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
  return liked[0]?.language === 'ru' ? 'ru' : 'en';
}
