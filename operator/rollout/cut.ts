// Texts that are cut where somebody allows them so much room and no more.

/** The text, or what of it fits into `length` UTF-16 units with an ellipsis for the rest. No character is cut in two: half of one is stored as another. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, length - 1);
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}
