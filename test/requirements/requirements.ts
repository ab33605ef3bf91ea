// The pure part of `npm run requirements`: which numbered line is proven by which test.

/** One numbered line of docs/requirements.md. */
export interface Requirement {
  /** Three digits, as written: `R-293`. */
  readonly id: string;
  readonly section: string;
  readonly text: string;
}

/** A test title that names a requirement. */
export interface Proof {
  readonly id: string;
  readonly file: string;
  readonly title: string;
}

/** What the two lists say together. */
export interface Coverage {
  readonly proven: ReadonlyMap<string, readonly Proof[]>;
  readonly unproven: readonly Requirement[];
  /** Proofs of a number that no line has: a typing error in a test title. */
  readonly unknown: readonly Proof[];
}

const line = /^- \[(R-\d{3})\] (.+)$/;
const heading = /^## (.+)$/;
/** A test call with a title that opens with a quote; `each` tables and modifiers included. */
const testTitle = /\b(?:it|test|describe)(?:\.[a-zA-Z]+)*(?:\([^)]*\))?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;
const mention = /\[(R-\d+(?:,\s*R-\d+)*)\]/g;

/** Reads the numbered lines of the requirements page. Throws when a number stands twice. */
export function parseRequirements(markdown: string): Requirement[] {
  const found = new Map<string, Requirement>();
  let section = '';
  for (const text of markdown.split('\n')) {
    section = heading.exec(text)?.[1] ?? section;
    const match = line.exec(text);
    if (!match?.[1] || !match[2]) continue;
    if (found.has(match[1]))
      throw new Error(`docs/requirements.md: ${match[1]} stands twice; give the later line the next free number`);
    found.set(match[1], { id: match[1], section, text: match[2] });
  }
  return [...found.values()];
}

/** Finds every requirement that the titles of a test file name; one title may name several (`[R-001, R-002]`). */
export function findProofs(file: string, source: string): Proof[] {
  const proofs: Proof[] = [];
  for (const call of source.matchAll(testTitle)) {
    const title = call[2] ?? '';
    for (const group of title.matchAll(mention)) {
      for (const id of (group[1] ?? '').split(/,\s*/)) proofs.push({ id, file, title });
    }
  }
  return proofs;
}

/** Lays proofs over requirements. */
export function cover(requirements: readonly Requirement[], proofs: readonly Proof[]): Coverage {
  const known = new Set(requirements.map((r) => r.id));
  const proven = new Map<string, Proof[]>();
  for (const proof of proofs) {
    if (known.has(proof.id)) proven.set(proof.id, [...(proven.get(proof.id) ?? []), proof]);
  }
  return {
    proven,
    unproven: requirements.filter((r) => !proven.has(r.id)),
    unknown: proofs.filter((p) => !known.has(p.id)),
  };
}
