import { describe, expect, it } from 'vitest';
import { maxPoolBackward, maxPoolForward, reluBackward, reluForward, softmaxCrossEntropy } from './layers';

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

describe('softmax cross-entropy', () => {
  const of = (logits: number[], ...labels: number[]) => {
    const probabilities = new Float32Array(logits.length);
    const error = new Float32Array(logits.length);
    const result = softmaxCrossEntropy(
      Float32Array.from(logits),
      Uint8Array.from(labels),
      probabilities,
      error,
    );
    return { ...result, probabilities: [...probabilities], error: [...error] };
  };

  it('is log(classes) for equal logits, with the error (probability - onehot) / n', () => {
    const { loss, correct, probabilities, error } = of([3, 3, 3, 3], 1, 0);
    expect(loss).toBeCloseTo(Math.log(2), 12);
    expect(correct).toBe(1);
    expect(probabilities).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(error).toEqual([0.25, -0.25, -0.25, 0.25]);
  });

  // Catches: exp() of a logit that was not shifted.
  it('does not overflow for logits of any size', () => {
    const { loss, probabilities } = of([3e38, -3e38, 1000], 0);
    expect(loss).toBe(0);
    expect(probabilities).toEqual([1, 0, 0]);
    expect(of([-3e38, -1000, 3e38], 1).loss).toBeGreaterThan(1e38);
  });

  // Catches: a NaN that the search for the largest logit steps over.
  it('has the loss NaN for a NaN logit wherever it stands, and for an infinite one', () => {
    for (const logits of [
      [NaN, 1, 2],
      [1, NaN, 2],
      [1, 2, NaN],
      [Infinity, 1, 2],
    ]) {
      const { loss, probabilities } = of(logits, 0);
      expect(loss, JSON.stringify(logits)).toBeNaN();
      expect(probabilities.every(Number.isNaN)).toBe(true);
    }
    expect(of([1, -Infinity], 1).loss).toBe(Infinity);
    expect(of([1, NaN, NaN], 1).correct).toBe(1);
  });
});
