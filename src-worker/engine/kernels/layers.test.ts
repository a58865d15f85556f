import { describe, expect, it } from 'vitest';
import { maxPoolBackward, maxPoolForward, reluBackward, reluForward } from './layers';

describe('max-pooling', () => {
  const pool = (values: number[]): { value: number; at: number } => {
    const output = new Float32Array(1);
    const argmax = new Int32Array(1);
    const shape = { n: 1, height: 2, width: 2, channels: 1, size: 2, outHeight: 1, outWidth: 1 };
    maxPoolForward(shape, Float32Array.from(values), output, argmax);
    return { value: output[0]!, at: argmax[0]! };
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
    expect(pool(values)).toEqual({ value, at });
  });

  // Catches: an error of the step before left at a place that is not the largest now, or outside all windows.
  it('sends each error to the one place it came from and clears all others', () => {
    const inputError = new Float32Array(6).fill(7);
    maxPoolBackward(Float32Array.of(2, -3), Int32Array.of(4, 1), inputError);
    expect([...inputError]).toEqual([0, -3, 0, 0, 2, 0]);
  });
});

describe('ReLU', () => {
  // Catches: Math.max(0, NaN) style comparisons that turn NaN into 0.
  it('keeps NaN and infinity and passes errors on where PyTorch does', () => {
    const input = Float32Array.of(-1, 0, 2, NaN, Infinity, -Infinity);
    const output = new Float32Array(6);
    reluForward(input, output);
    expect([...output]).toEqual([0, 0, 2, NaN, Infinity, 0]);
    const inputError = new Float32Array(6);
    reluBackward(output, new Float32Array(6).fill(5), inputError);
    expect([...inputError]).toEqual([0, 0, 5, 5, 5, 0]);
  });
});
