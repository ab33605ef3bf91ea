// The last tier: answers without any model, from written templates. Always there, always marked as degraded.

type Language = 'en' | 'ru';

interface Template {
  /** The first template whose pattern is found in the question answers it. */
  readonly pattern: RegExp;
  readonly en: string;
  readonly ru: string;
}

const templates: readonly Template[] = [
  {
    pattern: /^\s*(hi|hello|hey|good (morning|evening|day)|привет|здравствуй(те)?|добрый (день|вечер))\b|^\s*привет/iu,
    en: 'Hello. The language model is out of reach for the moment, so I can only give short standard answers.',
    ru: 'Здравствуйте. Языковая модель сейчас недоступна, поэтому я отвечаю короткими заготовками.',
  },
  {
    pattern: /\b(thanks|thank you)\b|спасибо|благодарю/iu,
    en: 'You are welcome.',
    ru: 'Пожалуйста.',
  },
  {
    pattern: /\b(help|what can you do)\b|помо(щь|ги)|что ты умеешь/iu,
    en: 'Usually I answer questions with a language model. It is out of reach just now; your message is kept.',
    ru: 'Обычно я отвечаю с помощью языковой модели. Сейчас она недоступна; ваше сообщение сохранено.',
  },
];

const otherwise = {
  en: 'I cannot reach the language model just now, so I have no real answer to this. Please ask again in a minute.',
  ru: 'Языковая модель сейчас недоступна, и настоящего ответа у меня нет. Спросите ещё раз через минуту.',
};

const afterBreak = {
  en: '\n\n[The model stopped in the middle of this answer. Ask again for a complete one.]',
  ru: '\n\n[Модель прервалась посреди ответа. Спросите ещё раз, чтобы получить полный.]',
};

const languageOf = (question: string): Language => (/\p{Script=Cyrillic}/u.test(question) ? 'ru' : 'en');

/** A standard answer in the language of the question. */
export function ruleAnswer(question: string): string {
  const language = languageOf(question);
  return (templates.find(({ pattern }) => pattern.test(question)) ?? otherwise)[language];
}

/** What closes an answer whose model died after it had begun. */
export function ruleContinuation(question: string): string {
  return afterBreak[languageOf(question)];
}
