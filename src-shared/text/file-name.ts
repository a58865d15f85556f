/** Most characters of a path within a sentence. */
const MOST_CHARACTERS = 100;

/**
 * A path as a sentence names it: its end, which tells files apart, and three dots where it is long; control characters, such as a
 * line break in a name, as JSON writes them.
 */
export function shownFile(path: string): string {
  // eslint-disable-next-line no-control-regex -- these are what must not reach a terminal or break a line
  const shown = path.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);
  if (shown.length <= MOST_CHARACTERS) return shown;
  const end = shown.slice(3 - MOST_CHARACTERS);
  // Not from the middle of a surrogate pair on.
  return `...${/^[\udc00-\udfff]/.test(end) ? end.slice(1) : end}`;
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
