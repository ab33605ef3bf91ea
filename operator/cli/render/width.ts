// How many columns of a terminal a text takes: two for a character of East Asia (UAX #11, wide and fullwidth) or an emoji, none for a mark that stands on
// another character.

const ASCII = /^[ -~]*$/;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\ufe0f]|\p{Emoji_Presentation}/u;
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

const segmenter = new Intl.Segmenter();
/** What a person takes for one character each. */
const characters = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

const widthOfOne = (character: string): number => (WIDE.test(character) ? 2 : NONE.test(character) ? 0 : 1);

/** Columns of a text without terminal sequences. */
export const widthOf = (text: string): number =>
  ASCII.test(text) ? text.length : characters(text).reduce((sum, character) => sum + widthOfOne(character), 0);

/** The text when it fits; otherwise as much of its beginning as does, and an ellipsis. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const character of characters(text)) {
    left -= widthOfOne(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text with spaces behind it, so that it takes so many columns. */
export const padTo = (text: string, columns: number): string =>
  `${text}${' '.repeat(Math.max(0, columns - widthOf(text)))}`;
