// A query of one's own: {{name}}, {{namespace}}, {{component}} and {{revision}} are put in, and nothing can be put in that leaves its quotes.

/** What a query may be about. */
export interface TemplateValues {
  readonly name: string;
  readonly namespace: string;
  readonly component: string;
  readonly revision: string;
}

/** Something in a query cannot be filled in; the message says what and what there is. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Names of Kubernetes objects and our hashes: nothing that means anything inside a PromQL string, be it matched or compared. */
const HARMLESS = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const PLACEHOLDER = /\{\{(.*?)\}\}/gs;

/** Whether the query is about one component: it is then asked once for each. */
export const namesComponent = (query: string): boolean => /\{\{\s*component\s*\}\}/.test(query);

/**
 * Fills a query in.
 * @throws TemplateError for a placeholder that does not exist, and for a value that could end the string it stands in.
 */
export function fillIn(query: string, values: TemplateValues): string {
  return query.replaceAll(PLACEHOLDER, (_, inside: string) => {
    const key = inside.trim();
    const value = Object.entries(values).find(([name]) => name === key)?.[1] as string | undefined;
    if (value === undefined) {
      const known = Object.keys(values).map((name) => `{{${name}}}`);
      throw new TemplateError(`prometheus.query has {{${key}}}; there are ${known.join(', ')}`);
    }
    if (!HARMLESS.test(value)) throw new TemplateError(`the ${key} "${value}" cannot be put into a query`);
    return value;
  });
}
