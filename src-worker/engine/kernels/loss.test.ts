import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOSS_KERNELS, type LossKernel } from './loss';

const outcomeOf =
  (kernel: LossKernel) =>
  (logits: readonly number[], ...labels: number[]) => {
    const probabilities = new Float32Array(logits.length);
    const error = new Float32Array(logits.length);
    const result = kernel(Float32Array.from(logits), Uint8Array.from(labels), probabilities, error);
    return { ...result, probabilities: [...probabilities], error: [...error] };
  };

describe('softmax cross-entropy', () => {
  const of = outcomeOf(LOSS_KERNELS.softmaxCrossEntropy);

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

describe('softmax cross-entropy of a softmax', () => {
  const once = outcomeOf(LOSS_KERNELS.softmaxCrossEntropy);
  const twice = outcomeOf(LOSS_KERNELS.softmaxOfSoftmaxCrossEntropy);

  it('is the loss that probabilities have when they are taken for logits', () => {
    const logits = [0.5, -1, 2, 0.25];
    const { probabilities } = once(logits, 1);
    const result = twice(logits, 1);
    expect(result.probabilities).toEqual(probabilities);
    expect(result.loss).toBeCloseTo(once(probabilities, 1).loss, 6);
    expect(result.correct).toBe(0);
  });

  // Catches: a product with the first softmax's Jacobian that is left out, transposed or divided by n twice.
  it('has the error that finite differences of its loss give', () => {
    const logit = fc.double({ min: -4, max: 4, noNaN: true });
    const minibatch = fc.integer({ min: 1, max: 3 }).chain((n) =>
      fc.record({
        logits: fc.array(fc.array(logit, { minLength: 5, maxLength: 5 }), { minLength: n, maxLength: n }),
        labels: fc.array(fc.nat(4), { minLength: n, maxLength: n }),
      }),
    );
    fc.assert(
      fc.property(minibatch, ({ logits, labels }) => {
        const flat = Float32Array.from(logits.flat());
        const { error } = twice([...flat], ...labels);
        error.forEach((value, k) => {
          // A power of two, which float32 adds to a logit with little loss; what is lost is taken into account.
          const moved = (step: number): Float32Array => flat.map((z, at) => (at === k ? z + step : z));
          const [above, below] = [moved(2 ** -8), moved(-(2 ** -8))];
          const difference =
            (twice([...above], ...labels).loss - twice([...below], ...labels).loss) / (above[k]! - below[k]!);
          expect(Math.abs(value - difference)).toBeLessThan(2e-5);
        });
      }),
      { numRuns: 100, seed: 20221109 },
    );
  });

  // Catches: a page, or a paper, that says it learns slowly when it does not.
  it('sends back almost nothing where the network is sure, even of the wrong class', () => {
    const logits = [20, 0, 0];
    expect(Math.hypot(...once(logits, 1).error)).toBeGreaterThan(1.4);
    expect(Math.hypot(...twice(logits, 1).error)).toBeLessThan(1e-8);
    expect(twice(logits, 0).loss).toBeCloseTo(Math.log(1 + 2 / Math.E), 6);
  });

  it('has the loss NaN for a NaN logit and for an infinite one', () => {
    for (const bad of [NaN, Infinity]) {
      const { loss, error } = twice([1, bad, 2], 0);
      expect(loss).toBeNaN();
      expect(error.every(Number.isNaN)).toBe(true);
    }
  });
});
