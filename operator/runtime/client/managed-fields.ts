// The API server notes for each field who wrote it (server-side apply). That is often most of an object, and nobody here reads it.

const MEMBER = ',"managedFields":[';
const [QUOTE, BACKSLASH, OPENING, CLOSING] = ['"', '\\', '[', ']'].map((character) => character.charCodeAt(0));

/**
 * JSON as the API server writes it, without `managedFields`, which would be parsed for nothing. Where it is written otherwise (with spaces, say) it stays
 * as it is. The text in a string is never mistaken for the member: its quotes are escaped.
 */
export function withoutManagedFields(json: string): string {
  let kept = '';
  let from = 0;
  for (let at = json.indexOf(MEMBER); at >= 0; at = json.indexOf(MEMBER, from)) {
    const end = endOfList(json, at + MEMBER.length);
    kept += json.slice(from, at);
    from = end;
  }
  return from === 0 ? json : kept + json.slice(from);
}

/** Behind the bracket that ends the list in which `at` is; the end of the text where there is none. */
function endOfList(json: string, at: number): number {
  let depth = 1;
  let inString = false;
  for (let index = at; index < json.length; index += 1) {
    const code = json.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPENING) depth += 1;
    else if (code === CLOSING) {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return json.length;
}
