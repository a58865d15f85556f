import type { KernelShape } from './network-rows';

/** What rows and columns of a matrix of kernels can be sorted by. `changeN`: how far W has gone in the last N steps. */
export const SORT_MEASURES = [
  'index',
  'weight',
  'gradient',
  'ratio',
  'change10',
  'change100',
  'change1000',
] as const;
export type SortMeasure = (typeof SORT_MEASURES)[number];

/** Rows (filters or units) or columns (input channels, or inputs of a unit) of a layer's matrix. */
export type SortAxis = 'filters' | 'inputs';

/** N of a `changeN`; null for the others. */
export const changeSteps = (by: SortMeasure): number | null =>
  by.startsWith('change') ? Number(by.slice('change'.length)) : null;

/** For each row or column of a weight (or a gradient, an update), the L2 norm of all its values. */
export function axisNorms(values: Float32Array, shape: KernelShape, axis: SortAxis): Float64Array {
  const { filters, inputs } = shape;
  const channels = inputs ?? shape.width;
  const size = values.length / (filters * channels);
  const sums = new Float64Array(axis === 'filters' ? filters : channels);
  for (let filter = 0; filter < filters; filter += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const start = (filter * channels + channel) * size;
      let sum = 0;
      for (let index = start; index < start + size; index += 1) sum += (values[index] ?? 0) ** 2;
      const at = axis === 'filters' ? filter : channel;
      sums[at] = (sums[at] ?? 0) + sum;
    }
  }
  return sums.map(Math.sqrt);
}

/**
 * The order of the largest first: place -> index. Equals stay in the order of their indices. NaN and infinity come before
 * everything, for they must not be overlooked.
 */
export function largestFirst(measures: ArrayLike<number>): number[] {
  const rank = Array.from(measures, (value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
  return rank
    .map((_, index) => index)
    .sort((a, b) => {
      const [left = 0, right = 0] = [rank[a], rank[b]];
      return left === right ? a - b : right > left ? 1 : -1;
    });
}
