import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clockOffset } from './clock';

test('one machine has one clock, however slowly it answers', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), (delay, when) => {
      expect(clockOffset(1000, 1000 + delay * when, 1000 + delay)).toBe(0);
    }),
  );
});

test('a clock that is an hour ahead is found to half the delay', () => {
  const hour = 3_600_000;
  fc.assert(
    fc.property(fc.nat(500), fc.double({ min: 0, max: 1, noNaN: true }), (delay, when) => {
      const offset = clockOffset(1000, 1000 + delay * when + hour, 1000 + delay);
      expect(Math.abs(offset - hour)).toBeLessThanOrEqual(delay / 2 + 1e-6);
    }),
  );
});
