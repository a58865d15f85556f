import { expect, test } from 'vitest';
import type { Painter } from './painter';
import { WordsSweep } from './words-sweep';

// Catches: the words of something that is gone, written for as long as the page is open.
test('one that takes itself away while it is written is not written again', () => {
  const sweep = new WordsSweep();
  const written: string[] = [];
  const once: Painter = () => {
    written.push('once');
    sweep.remove(once);
  };
  sweep.add(once);
  sweep.add(() => written.push('always'));
  for (const nowMs of [0, 16, 32]) {
    sweep.run(
      nowMs,
      false,
      () => nowMs,
      (painter) => {
        painter(nowMs);
      },
    );
  }
  expect(written).toEqual(['once', 'always', 'always', 'always']);
});
