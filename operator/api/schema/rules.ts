// CEL rules that travel with a schema into the CRD. The API server checks them; the message says what to write instead.

/** One entry of `x-kubernetes-validations`. */
export interface Rule {
  readonly rule: string;
  /** What is wrong and what to write instead, for the person who applies the object. */
  readonly message: string;
  /** Points the error at a member of the object that the rule stands on, e.g. `.adminPort`. */
  readonly fieldPath?: string;
}

/** Attaches rules to a schema: `z.object({...}).meta(rules({...}))`. */
export const rules = (...list: Rule[]): { 'x-kubernetes-validations': Rule[] } => ({
  'x-kubernetes-validations': list,
});

/** The list is a map: the API server merges by these keys and refuses an entry given twice. */
export const listMap = (
  ...keys: string[]
): { 'x-kubernetes-list-type': 'map'; 'x-kubernetes-list-map-keys': string[] } => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

/** The list is a set: the API server refuses a value given twice. */
export const listSet = { 'x-kubernetes-list-type': 'set' } as const;
/** The list is replaced as a whole: order matters. */
export const listAtomic = { 'x-kubernetes-list-type': 'atomic' } as const;

/** Text as a CEL string literal. */
export const celString = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
