import { expect, test } from 'vitest';
import { SilenceMeter } from './silence';

const TICK_MS = 250;

/** Seconds of silence after so many ticks. */
function after(meter: SilenceMeter, ticks: number, from = 0, isAwaited = true): number {
  let seconds = 0;
  for (let tick = 0; tick <= ticks; tick += 1) seconds = meter.tick(from + tick * TICK_MS, isAwaited);
  return seconds;
}

test('silence grows by the second until something comes', () => {
  const meter = new SilenceMeter();
  expect(after(meter, 4)).toBe(0);
  expect(after(meter, 12, 1000)).toBe(4);
  meter.heard();
  expect(after(meter, 4, 4000)).toBe(0);
});

// Catches: a laptop that wakes up, or a page that was held up, and says that the trainer has been silent for hours.
test('time in which the page did not run is no silence', () => {
  const meter = new SilenceMeter();
  meter.tick(0, true);
  expect(meter.tick(8 * 3600 * 1000, true)).toBe(0);
  expect(meter.tick(8 * 3600 * 1000 + 250, true)).toBe(0);
});

test('a clock that is set back is no silence either', () => {
  const meter = new SilenceMeter();
  meter.tick(1_000_000, true);
  expect(meter.tick(0, true)).toBe(0);
  expect(after(meter, 12, 0)).toBe(3);
});

test('where nothing is awaited silence means nothing', () => {
  const meter = new SilenceMeter();
  expect(after(meter, 100, 0, false)).toBe(0);
});
