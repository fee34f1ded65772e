/** Characters that move the cursor, turn the direction of writing or cannot be seen. */
const DECEPTIVE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text from outside with nothing in it that a terminal or a reader could take for something else. */
export const clean = (text: string): string => text.replace(/\r\n/g, "\n").replace(DECEPTIVE, "\ufffd");

/** Cuts a text, and says so. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length)}… (${text.length - length} more characters)`;
}
