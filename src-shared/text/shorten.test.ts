import { describe, expect, it } from 'vitest';
import { listed, quoted, shorten } from './shorten';

describe('shorten', () => {
  it('keeps a text that fits as it is', () => {
    expect(shorten('a'.repeat(300))).toBe('a'.repeat(300));
    expect(shorten('', 0)).toBe('');
  });

  it('ends a longer text with three dots, within the limit', () => {
    expect(shorten('abcdefghij', 8)).toBe('abcde...');
    expect(shorten('x'.repeat(1_000_000))).toHaveLength(300);
    expect(shorten('abcdef', 2)).toBe('..');
  });

  it('never cuts a surrogate pair in two', () => {
    expect(shorten('abcd\u{1f600}fghi', 8)).toBe('abcd...');
    // encodeURIComponent throws at half a pair.
    for (const limit of [101, 102]) {
      expect(() => encodeURIComponent(shorten('\u{1f600}'.repeat(200), limit))).not.toThrow();
    }
  });
});

describe('quoted', () => {
  it('quotes a line at most and escapes what a terminal would obey', () => {
    expect(quoted('conv1')).toBe('"conv1"');
    expect(quoted('\u001b[2J\n')).toBe('"\\u001b[2J\\n"');
    expect(quoted('x'.repeat(1_000_000))).toHaveLength(62);
  });
});

describe('listed', () => {
  it('names the first few and counts the rest', () => {
    expect(listed(['a', 'b', 'c'])).toBe('a, b, c');
    expect(listed(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
  });
});
