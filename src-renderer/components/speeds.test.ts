import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SPEEDS, speedIndex, speedLabel } from './speeds';

test('each place of the slider is found again from its speed', () => {
  SPEEDS.forEach((speed, index) => {
    expect(speedIndex(speed)).toBe(index);
  });
});

test('a limit set elsewhere stands at the place nearest by ratio, and never at flat out', () => {
  expect(speedIndex(3)).toBe(SPEEDS.indexOf(2));
  expect(speedIndex(4)).toBe(SPEEDS.indexOf(5));
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (limit) => {
      expect(speedIndex(limit)).toBeLessThan(SPEEDS.length - 1);
    }),
  );
});

test('one step is not "1 steps"', () => {
  expect(SPEEDS.map(speedLabel)).toEqual([
    '1 step/s',
    ...[2, 5, 10, 20, 50, 100, 200, 500].map((speed) => `${String(speed)} steps/s`),
    'flat out',
  ]);
});
