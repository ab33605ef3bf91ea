// Tables of figures, and the place in docs/benchmarks.md that a benchmark keeps them in. Pure.

/** A Markdown table. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
 * @throws Error when the page has no such section.
 */
export function replaceSection(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [page.indexOf(open), page.indexOf(close)];
  if (start < 0 || end < start)
    throw new Error(`the page has no section ${open} … ${close}: add both lines where the figures belong`);
  return `${page.slice(0, start + open.length)}\n${text}\n${page.slice(end)}`;
}
