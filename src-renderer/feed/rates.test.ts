import { expect, test } from 'vitest';
import { RateMeter } from './rates';

test('frames a second are those of the last second', () => {
  const meter = new RateMeter();
  for (let k = 0; k < 90; k += 1) meter.drawn(k * 20, k * 20 + 9);
  const now = 89 * 20 + 9;
  expect(meter.read(now, false)).toEqual({ framesPerSecond: 50, pictureAgeMs: 9, skipped: 0 });
  expect(meter.read(now + 5000, false).framesPerSecond).toBe(0);
});

test('a picture ages only while the trainer is known to be further', () => {
  const meter = new RateMeter();
  meter.drawn(1000, 1008);
  expect(meter.read(3000, false).pictureAgeMs).toBe(8);
  expect(meter.read(3000, true).pictureAgeMs).toBe(8);
  expect(meter.read(3250, true).pictureAgeMs).toBe(250);
  meter.drawn(3240, 3251);
  expect(meter.read(3500, false).pictureAgeMs).toBe(11);
});

test('how late pictures come is told of the last 200, however long they then stay', () => {
  const meter = new RateMeter();
  expect(meter.latency()).toBeNull();
  for (let k = 0; k < 300; k += 1) meter.drawn(k * 200, k * 200 + k);
  meter.read(1e6, true);
  expect(meter.latency()).toEqual({ p50: 200, p95: 290, max: 299 });
  // Whoever measures waits until so many were drawn after the first ones.
  expect(meter.pictures).toBe(300);
});

test('a picture of what has been standing has no age', () => {
  const meter = new RateMeter();
  meter.drawn(null, 1008);
  expect(meter.read(9000, false).pictureAgeMs).toBeNull();
});

test('skips add up until the run is another', () => {
  const meter = new RateMeter();
  meter.skipped(3);
  meter.skipped(4);
  expect(meter.read(0, false).skipped).toBe(7);
  meter.reset();
  expect(meter.read(0, false)).toEqual({ framesPerSecond: 0, pictureAgeMs: null, skipped: 0 });
});
