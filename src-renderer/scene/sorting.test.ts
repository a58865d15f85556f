import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisNorms, changeSteps, largestFirst } from './sorting';

describe('an order', () => {
  test('is a permutation, largest first, and equals keep their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double(), fc.constantFrom(0, 1, Number.NaN)), { maxLength: 40 }),
        (measures) => {
          const order = largestFirst(measures);
          expect(order.toSorted((a, b) => a - b)).toEqual(measures.map((_, index) => index));
          const rank = (index: number): number => {
            const value = measures[index] ?? 0;
            return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
          };
          for (let place = 1; place < order.length; place += 1) {
            const [before = 0, here = 0] = [order[place - 1], order[place]];
            expect(rank(before) > rank(here) || (rank(before) === rank(here) && before < here)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('norms along an axis', () => {
  const square = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

  test('of a conv weight: a row is a filter, a column an input channel', () => {
    const values = Float32Array.from({ length: 2 * 3 * 4 }, (_, index) => index);
    const shape = { filters: 2, inputs: 3, height: 2, width: 2 };
    const kernel = (filter: number, input: number): number[] => [
      ...values.subarray((filter * 3 + input) * 4, (filter * 3 + input) * 4 + 4),
    ];
    expect([...axisNorms(values, shape, 'filters')]).toEqual([
      square([0, 1, 2].flatMap((input) => kernel(0, input))),
      square([0, 1, 2].flatMap((input) => kernel(1, input))),
    ]);
    expect(axisNorms(values, shape, 'inputs')[1]).toBeCloseTo(square([...kernel(0, 1), ...kernel(1, 1)]), 9);
  });

  test('of a dense weight: a row is a unit, a column one input', () => {
    const shape = { filters: 2, inputs: null, height: 1, width: 3 };
    const values = Float32Array.of(3, 0, 1, 4, 0, 1);
    expect([...axisNorms(values, shape, 'inputs')]).toEqual([5, 0, Math.SQRT2]);
    expect(axisNorms(values, shape, 'filters')[0]).toBeCloseTo(Math.sqrt(10), 9);
  });
});

test('the number of steps is part of a change', () => {
  expect([changeSteps('change100'), changeSteps('weight')]).toEqual([100, null]);
});
