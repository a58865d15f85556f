import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossEntropyError, exampleLoss, softmax, strengthText } from './loss';

const logits = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 2, maxLength: 10 });

describe('the loss of an example', () => {
  // Catches: a sum that is not one, or an order of classes that softmax turns round.
  it('has probabilities that add up to one and keep the order of the logits', () => {
    fc.assert(
      fc.property(logits, (values) => {
        const p = softmax(Float32Array.from(values));
        expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
        expect(p[values.indexOf(Math.max(...values))]).toBe(Math.max(...p));
      }),
    );
    expect(softmax(Float32Array.of(1000, 0))).toEqual(Float32Array.of(1, 0));
    expect(softmax(Float32Array.of(1, NaN))).toEqual(Float32Array.of(NaN, NaN));
  });

  it('is -log p of the label, and -log softmax(p) of it where softmax is applied twice', () => {
    const p = Float32Array.of(0.5, 0.25, 0.25);
    expect(exampleLoss('softmaxCrossEntropy', p, 1)).toBeCloseTo(Math.log(4), 6);
    const sum = Math.exp(0.5) + 2 * Math.exp(0.25);
    expect(exampleLoss('softmaxOfSoftmaxCrossEntropy', p, 1)).toBeCloseTo(Math.log(sum) - 0.25, 6);
  });

  // Catches: the factor of the mean left out, so that a minibatch's error looks 64 times weaker than it is.
  it('sends back (p - onehot) / n: a gradient of the loss, whose entries add up to nothing', () => {
    expect(crossEntropyError(Float32Array.of(0.5, 0.25, 0.25), 1, 4)).toEqual(
      Float32Array.of(0.125, -0.1875, 0.0625),
    );
    fc.assert(
      fc.property(logits, fc.nat(), (values, any) => {
        const label = any % values.length;
        const error = crossEntropyError(softmax(Float32Array.from(values)), label, 1);
        expect(error.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
        expect(error.every((value, k) => (k === label ? value <= 0 : value >= 0))).toBe(true);
      }),
    );
  });
});

it.each([
  [1, 0, 'not to be compared with'],
  [1, 10, '10 times weaker than'],
  [1, 7.24, '7.2 times weaker than'],
  [1, 9.97, '10 times weaker than'],
  [1, 1234, '1,234 times weaker than'],
  [3, 1, '3.0 times stronger than'],
  [1, 1.01, 'about as strong as'],
  [1, 1, 'as strong as'],
  [0, 1, 'nothing against'],
  [1e-9, 1, 'over a million times weaker than'],
  [NaN, 1, 'not to be compared with'],
])('a norm of %d is, to one of %d, %s', (norm, other, text) => {
  expect(strengthText(norm, other)).toBe(text);
});
