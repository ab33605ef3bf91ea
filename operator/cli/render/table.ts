// Tables for the terminal: aligned columns, two spaces between them, nothing behind the last.
import { padTo, widthOf } from './width.ts';

/** One string a line, the header first. Cells are padded to the widest of their column. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))));
  return table.map((row) =>
    row
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
