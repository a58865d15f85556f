const NAME = 'gradscope.key';

/**
 * A random text that only pages from this very address have: storage knows the port, cookies do not. The shell takes a
 * page's cookie together with the key that came with it first, so the cookie alone, which the browser sends to every
 * server on this machine, opens nothing.
 * @returns null where the browser keeps nothing for this page
 */
export function pageKey(page: Pick<Window, 'localStorage' | 'crypto'>): string | null {
  try {
    const kept = page.localStorage.getItem(NAME);
    if (kept !== null) return kept;
    const made = Array.from(page.crypto.getRandomValues(new Uint32Array(4)), (word) =>
      word.toString(36),
    ).join('-');
    page.localStorage.setItem(NAME, made);
    return made;
  } catch {
    return null;
  }
}
