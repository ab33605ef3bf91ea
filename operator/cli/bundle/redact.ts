// Takes secrets out of objects and texts before they leave the cluster. Rather too much than too little: whoever reads a bundle needs to know
// that a variable is there, never what is in it. Three nets: places (Secret data, environment, headers), names (password, token, ...), and the
// values themselves, wherever they turn up again.

export const REDACTED = '<redacted>';

/** Names that say what is in them. Not the names of the places where secrets are kept: secretName, secretRef, tokenExpirationSeconds. */
const SECRET_NAME =
  /(password|passwd|passphrase|token|secret|api[-_.]?key|private[-_.]?key|access[-_.]?key|credentials?|authorization|cookie|dsn|connection[-_.]?string)$/i;

/** Values that are no secret whatever their name is: numbers, switches, durations, levels, other variables. */
const HARMLESS =
  /^(-?[0-9.]+(ms|s|m|h|Mi|Gi|Ki)?|true|false|on|off|yes|no|trace|debug|info|warn|error|development|production|test|(\$\([A-Za-z0-9_]+\))+)?$/i;
/** The same where the name says that it is one: a password may be a number, or the word test. */
const NONE_AT_ALL = /^(true|false|(\$\([A-Za-z0-9_]+\))+)?$/;
const isHarmless = (name: string, value: string): boolean =>
  (SECRET_NAME.test(name) ? NONE_AT_ALL : HARMLESS).test(value);
/** Variables of the operator itself (pod contract). */
const OPERATOR_VARIABLE = /^(ASSISTANT_(NAME|COMPONENT|REVISION|RELEASE|ADMIN_TOKEN_FILE)|PORT|ADMIN_PORT)$/;

/** Shorter values are taken out where they stand, but not looked for elsewhere: they would turn up everywhere. */
const SHORTEST_KNOWN = 6;

/** Forms of secrets in free text, each with what stays of it. */
const FORMS: readonly (readonly [form: RegExp, stays: string])[] = [
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g, REDACTED],
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, `$1 ${REDACTED}`],
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@:"']*:[^\s/@"']+@/gi, `$1${REDACTED}@`],
  [/\b(sk-|ghp_|gho_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|hvs\.|s\.)[A-Za-z0-9_-]{10,}/g, `$1${REDACTED}`],
  [
    /((?:password|passwd|passphrase|token|secret|api[-_]?key|private[-_]?key|access[-_]?key|credentials?)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi,
    `$1${REDACTED}`,
  ],
];

type Plain = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Takes secrets out. Knows the values it was given and those it has met ({@link Redactor.learn}). */
export class Redactor {
  readonly #known = new Set<string>();
  #sorted: readonly string[] | null = null;

  /** Notes a value that must not turn up anywhere, as it is and in base64. */
  know(value: string): void {
    for (const form of [
      value,
      value.trim(),
      Buffer.from(value).toString('base64'),
      JSON.stringify(value).slice(1, -1),
    ]) {
      if (form.length >= SHORTEST_KNOWN && !HARMLESS.test(form)) this.#known.add(form);
    }
    this.#sorted = null;
  }

  /** Notes every value of an object that {@link object} would take out: what is a variable here may be printed in a log there. */
  learn(value: unknown): void {
    walk(value, { secret: (text) => this.know(text), keep: (text) => text });
  }

  /** A copy without secrets. */
  object(value: unknown): unknown {
    return walk(value, { secret: () => REDACTED, keep: (text) => this.text(text) });
  }

  /** A text without secrets: known values first, the longest first, then everything that looks like one. */
  text(text: string): string {
    this.#sorted ??= [...this.#known].sort((a, b) => b.length - a.length);
    let clean = text;
    for (const value of this.#sorted) clean = clean.replaceAll(value, REDACTED);
    for (const [form, stays] of FORMS) clean = clean.replace(form, stays);
    return clean;
  }
}

interface Visitor {
  /** What becomes of a text that is a secret by its place or name. */
  readonly secret: (text: string) => unknown;
  /** What becomes of any other text. */
  readonly keep: (text: string) => string;
}

function walk(value: unknown, visitor: Visitor): unknown {
  if (typeof value === 'string') return visitor.keep(value);
  if (Array.isArray(value)) return words(value, visitor);
  if (!isObject(value)) return value;
  const holdsData = value['kind'] === 'Secret' || value['kind'] === 'ConfigMap';
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): (readonly [string, unknown])[] => {
      // Who wrote which field, and whole manifests as text: of no use here, and full of what is taken out elsewhere.
      if (key === 'managedFields') return [];
      if (key === 'kubectl.kubernetes.io/last-applied-configuration') return [[key, REDACTED]];
      if (holdsData && (key === 'data' || key === 'stringData' || key === 'binaryData')) {
        return [[key, dataOf(value['kind'] === 'Secret', key, member, visitor)]];
      }
      if ((key === 'env' || key === 'httpHeaders') && Array.isArray(member)) {
        return [[key, member.map((entry: unknown) => variable(key, entry, visitor))]];
      }
      if (typeof member === 'string' && SECRET_NAME.test(key) && !NONE_AT_ALL.test(member))
        return [[key, visitor.secret(member)]];
      return [[key, walk(member, visitor)]];
    }),
  );
}

/** Members of a Secret or ConfigMap: the keys stay. A Secret's values are known in clear text, too. */
function dataOf(secret: boolean, key: string, data: unknown, visitor: Visitor): unknown {
  if (!isObject(data)) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => {
      if (typeof value !== 'string') return [name, REDACTED];
      if (secret) {
        visitor.secret(value);
        if (key === 'data') visitor.secret(Buffer.from(value, 'base64').toString('utf8'));
      } else if (SECRET_NAME.test(name)) visitor.secret(value);
      return [name, REDACTED];
    }),
  );
}

/** An environment variable or a header of a probe. */
function variable(list: 'env' | 'httpHeaders', entry: unknown, visitor: Visitor): unknown {
  if (!isObject(entry) || typeof entry['value'] !== 'string') return walk(entry, visitor);
  const { name, value, ...rest } = entry;
  const open = list === 'env' && (isHarmless(String(name), value) || OPERATOR_VARIABLE.test(String(name)));
  return { name, value: open ? visitor.keep(value) : visitor.secret(value), ...(walk(rest, visitor) as Plain) };
}

/** A list; in a list of words (command, args) the word behind `--password` is one, and what stands behind its equals sign. */
function words(list: readonly unknown[], visitor: Visitor): unknown[] {
  return list.map((entry, index) => {
    const before = list[index - 1];
    if (typeof entry !== 'string') return walk(entry, visitor);
    if (typeof before === 'string' && /^--?[a-z]/i.test(before) && SECRET_NAME.test(before))
      return visitor.secret(entry);
    const [, flag = '', value = ''] = /^([^=\s]+)=(.*)$/s.exec(entry) ?? [];
    if (SECRET_NAME.test(flag)) {
      // A flag's value is the rest of the word; in a shell's command the assignment ends at the next space.
      const [, first = '', rest = ''] = flag.startsWith('-') ? [value, value] : (/^(\S*)(.*)$/s.exec(value) ?? []);
      return `${flag}=${String(visitor.secret(first))}${visitor.keep(rest)}`;
    }
    return visitor.keep(entry);
  });
}
