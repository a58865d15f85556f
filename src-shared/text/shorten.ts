/** Most characters of a sentence that is shown or sent: nobody reads more, whatever it quotes. */
export const MOST_SENTENCE_CHARACTERS = 500;

const USUAL_LIMIT = 300;

const ELLIPSIS = '...';

/**
 * The text itself when it has at most `limit` characters (UTF-16 code units), else its beginning and three dots, `limit`
 * characters together or one less: a surrogate pair is never cut in two.
 */
export function shorten(text: string, limit = USUAL_LIMIT): string {
  if (text.length <= limit) return text;
  const end = Math.max(0, limit - ELLIPSIS.length);
  const last = text.charCodeAt(end - 1);
  const cutsPair = end > 0 && last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, cutsPair ? end - 1 : end) + ELLIPSIS.slice(0, limit);
}

/** A name from outside, as a sentence quotes it: in quotation marks, control characters escaped, at most a line of it. */
export const quoted = (name: string, limit = 60): string => JSON.stringify(shorten(name, limit));

/** "a, b, c and 7 more": the first `most` of the items. */
export function listed(items: readonly string[], most = 3): string {
  const first = items.slice(0, most).join(', ');
  return items.length > most ? `${first} and ${String(items.length - most)} more` : first;
}
