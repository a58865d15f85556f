import { expect, it } from 'vitest';
import { ProofBook } from './proof';

it('takes no run as a witness of itself', () => {
  const book = new ProofBook();
  expect(book.compare('c', 10, { runId: 1, mode: 'imperative', sha256: 'a' })).toBeNull();
  expect(book.compare('c', 10, { runId: 1, mode: 'fit', sha256: 'a' })).toBeNull();
});

it('compares runs of one config at one step only', () => {
  const book = new ProofBook();
  book.compare('c', 10, { runId: 1, mode: 'imperative', sha256: 'a' });
  expect(book.compare('d', 10, { runId: 2, mode: 'fit', sha256: 'a' })).toBeNull();
  expect(book.compare('c', 11, { runId: 2, mode: 'fit', sha256: 'a' })).toBeNull();
  expect(book.compare('c', 10, { runId: 2, mode: 'fit', sha256: 'a' })).toEqual({
    mode: 'imperative',
    step: 10,
    same: true,
  });
});

it('says that weights differ, and prefers the other loop as a witness', () => {
  const book = new ProofBook();
  book.compare('c', 10, { runId: 1, mode: 'imperative', sha256: 'a' });
  book.compare('c', 10, { runId: 2, mode: 'fit', sha256: 'b' });
  expect(book.compare('c', 10, { runId: 3, mode: 'fit', sha256: 'b' })).toEqual({
    mode: 'imperative',
    step: 10,
    same: false,
  });
});
