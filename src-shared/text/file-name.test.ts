import { expect, it } from 'vitest';
import { shownFile } from './file-name';

// Catches: a sentence of 4,000 characters, one over several lines, or one that colours the terminal.
it.each([
  ['weights.pt', 'weights.pt'],
  ['/tmp/a b/w.safetensors', '/tmp/a b/w.safetensors'],
  ['two\nlines\u001b[31m', 'two\\u000alines\\u001b[31m'],
  [`/${'long/'.repeat(100)}w.npz`, `...${'/long'.repeat(100).slice(-91)}/w.npz`.replace('.../', '.../')],
])('names %j so that it fits into a sentence', (path, shown) => {
  expect(shownFile(path)).toBe(shown);
  expect(shownFile(path).length).toBeLessThanOrEqual(100);
});

// Catches: half a character, which no encoder accepts.
it('never begins in the middle of a surrogate pair', () => {
  for (let length = 90; length < 110; length++) {
    const shown = shownFile(`${'😀'.repeat(60)}${'x'.repeat(length % 2)}`);
    expect(new TextDecoder().decode(new TextEncoder().encode(shown))).toBe(shown);
  }
});
