// What somebody may have meant: the nearest of the known words, for messages about unknown ones.

/**
 * The known word that takes the fewest single edits (insert, delete, replace, swap of neighbours) to reach; null when none is near:
 * a third of the letters may be wrong, and at least one. A word that begins like the unknown one counts as near.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const lower = word.toLowerCase();
  const begun = known.filter((each) => lower.length >= 3 && each.toLowerCase().startsWith(lower));
  const ranked = known
    .map((each) => ({ each, edits: distance(lower, each.toLowerCase()) }))
    .filter(({ edits }) => edits <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.each ?? (begun.length === 1 ? (begun[0] ?? null) : null);
}

/** Optimal string alignment distance: Levenshtein's, with a swap of neighbours as one edit. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let edits = Math.min((current[column - 1] ?? 0) + 1, (last[column] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
