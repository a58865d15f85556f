import { expect, test } from 'vitest';
import { pageKey } from './page-key';

function page(storage: Partial<Storage>): Pick<Window, 'localStorage' | 'crypto'> {
  return { localStorage: storage as Storage, crypto };
}

function emptyStorage(): Partial<Storage> {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => {
      kept.set(name, text);
    },
  };
}

// Catches: a second tab, or a reload, that the shell does not know again; a key that two addresses share or that can be guessed.
test('pages of one address have one key, and those of another have another', () => {
  const [here, there] = [page(emptyStorage()), page(emptyStorage())];
  const key = pageKey(here);
  expect(key).toMatch(/^(?:\w{1,7}-){3}\w{1,7}$/);
  expect(pageKey(here)).toBe(key);
  expect(pageKey(there)).not.toBe(key);
});

// Catches: a page that does not start where the browser keeps nothing for it.
test('a page for which nothing can be kept has none', () => {
  const forbid = (): never => {
    throw new DOMException('no', 'SecurityError');
  };
  expect(pageKey(page({ getItem: forbid }))).toBeNull();
  expect(pageKey(page({ getItem: () => null, setItem: forbid }))).toBeNull();
});
