import { describe, expect, it } from 'vitest';
import {
  averagePoolBackward,
  averagePoolForward,
  maxPoolBackward,
  maxPoolForward,
  type PoolShape,
} from './pooling';

const ONE_WINDOW: PoolShape = {
  n: 1,
  height: 2,
  width: 2,
  channels: 1,
  size: 2,
  stride: 2,
  padding: 0,
  outHeight: 1,
  outWidth: 1,
};
/** 3 x 3 values under four windows of 2 x 2, each with the value in the middle. */
const OVERLAPPING: PoolShape = { ...ONE_WINDOW, height: 3, width: 3, stride: 1, outHeight: 2, outWidth: 2 };
/** 2 x 2 values under four windows of 2 x 2, of which each has three places in the padding. */
const PADDED: PoolShape = { ...ONE_WINDOW, padding: 1, outHeight: 2, outWidth: 2 };

describe('max-pooling', () => {
  const pool = (shape: PoolShape, values: number[]): { values: number[]; at: number[] } => {
    const output = new Float32Array(shape.outHeight * shape.outWidth);
    const argmax = new Int32Array(output.length);
    maxPoolForward(shape, Float32Array.from(values), output, argmax);
    return { values: [...output], at: [...argmax] };
  };

  // Catches: another tie or NaN rule than torch.nn.functional.max_pool2d (each line was run in PyTorch 2.13).
  it.each([
    [[1, 3, 2, 0], 3, 1],
    [[5, 5, 5, 5], 5, 0],
    [[1, 2, 2, 1], 2, 1],
    [[0, -0, 0, 0], 0, 0],
    [[-Infinity, -Infinity, -Infinity, -Infinity], -Infinity, 0],
    [[1, NaN, 9, 2], NaN, 1],
    [[NaN, 9, NaN, 2], NaN, 2],
    [[Infinity, 1, NaN, Infinity], NaN, 2],
  ])('of %j is %d, taken from place %d', (values, value, at) => {
    expect(pool(ONE_WINDOW, values)).toEqual({ values: [value], at: [at] });
  });

  // Catches: zeros of the padding that win over negative values.
  it('never takes the padding', () => {
    expect(pool(PADDED, [-1, -2, -Infinity, -4])).toEqual({
      values: [-1, -2, -Infinity, -4],
      at: [0, 1, 2, 3],
    });
  });

  // Catches: an error of the step before left at a place that is not the largest now, or outside all windows.
  it('sends each error to the one place it came from and clears all others', () => {
    const inputError = new Float32Array(6).fill(7);
    maxPoolBackward(ONE_WINDOW, Float32Array.of(2, -3), Int32Array.of(4, 1), inputError);
    expect([...inputError]).toEqual([0, -3, 0, 0, 2, 0]);
  });

  // Catches: of windows that overlap, the last one's error alone.
  it('adds the errors of all windows that a value won', () => {
    const { at } = pool(OVERLAPPING, [0, 0, 0, 0, 9, 0, 0, 0, 0]);
    const inputError = new Float32Array(9).fill(7);
    maxPoolBackward(OVERLAPPING, Float32Array.of(1, 2, 4, 8), Int32Array.from(at), inputError);
    expect([...inputError]).toEqual([0, 0, 0, 0, 15, 0, 0, 0, 0]);
  });
});

describe('average pooling', () => {
  // Catches: a mean over the values in the image alone (count_include_pad=False), and NaN or infinity that does not spread.
  it('divides by the whole window, padding and all', () => {
    const output = new Float32Array(4);
    averagePoolForward(PADDED, Float32Array.of(4, NaN, Infinity, -8), output);
    expect([...output]).toEqual([1, NaN, Infinity, -2]);
  });

  it('gives each value its share of the error of every window it is in', () => {
    const inputError = new Float32Array(9).fill(7);
    averagePoolBackward(OVERLAPPING, Float32Array.of(4, 8, 16, 32), inputError);
    expect([...inputError]).toEqual([1, 3, 2, 5, 15, 10, 4, 12, 8]);
  });
});
