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

/** Painters that take so long each, in one frame after the other of 16 ms, at a pace. */
function sweepOf(group: string | undefined): string[][] {
  let clockMs = 0;
  const frames: string[][] = [];
  const sweep = new WordsSweep();
  sweep.setInterval(1000);
  for (const name of ['W', 'g', 'dW']) {
    sweep.add(() => {
      clockMs += 0.7;
      frames.at(-1)?.push(name);
    }, group);
  }
  sweep.add(() => {
    clockMs += 0.7;
    frames.at(-1)?.push('chart');
  });
  sweep.owe();
  for (let frame = 0; frame < 6; frame += 1) {
    frames.push([]);
    sweep.run(
      frame * 16,
      false,
      () => clockMs,
      (painter) => {
        painter(frame * 16);
      },
    );
  }
  return frames.filter((words) => words.length > 0);
}

// Catches: a panel of which one half is of one picture and the other of the next.
test('words of one group are written in one animation frame, others slice by slice', () => {
  expect(sweepOf('kernel')).toEqual([['W', 'g', 'dW'], ['chart']]);
  expect(sweepOf(undefined).length).toBeGreaterThan(2);
});

test('a sweep is announced before its first word, once', () => {
  const heard: string[] = [];
  const sweep = new WordsSweep(() => heard.push('begun'));
  sweep.setInterval(1000);
  sweep.add(() => heard.push('word'));
  sweep.add(() => heard.push('grouped'), 'kernel');
  sweep.owe();
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
  expect(heard).toEqual(['begun', 'grouped', 'word']);
});
