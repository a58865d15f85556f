import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roundingBound, type ExplanationOf } from './explanation';

const terms: ExplanationOf<'terms'> = {
  form: 'terms',
  left: 'input',
  right: 'weight',
  axes: ['input'],
  largest: [],
  rest: 0,
  bias: null,
  terms: 0,
  zeros: 0,
  value: 0,
  sum: 0,
  absolute: 0,
  step: 1,
};

/** A sum of products as one long float32 chain, the order in which rounding does most. */
function chain(left: Float32Array, right: Float32Array): { value: number; sum: number; absolute: number } {
  let [value, sum, absolute] = [0, 0, 0];
  for (const [i, x] of left.entries()) {
    const product = x * right[i]!;
    value = Math.fround(value + Math.fround(product));
    sum += product;
    absolute += Math.abs(product);
  }
  return { value, sum, absolute };
}

test('no float32 sum of products is further off than the bound', () => {
  const factors = fc.float32Array({ min: -10, max: 10, noNaN: true, minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(factors, fc.boolean(), (left, isOfOneSign) => {
      const right = isOfOneSign ? left : left.toReversed();
      const { value, sum, absolute } = chain(left, right);
      const bound = roundingBound({ ...terms, terms: left.length, value, sum, absolute });
      expect(Math.abs(value - sum)).toBeLessThanOrEqual(bound);
    }),
  );
});

// Catches: one share for all, which many equal terms in a chain leave.
test('a long sum may be further off than a short one', () => {
  const left = new Float32Array(36_864).fill(0.1);
  const { value, sum, absolute } = chain(left, left);
  expect(Math.abs(value - sum)).toBeGreaterThan(1e-6 * absolute);
  expect(Math.abs(value - sum)).toBeLessThan(roundingBound({ ...terms, terms: left.length, absolute }));
  expect(roundingBound({ ...terms, terms: 9, absolute: 1 })).toBeCloseTo(1e-6, 12);
});
