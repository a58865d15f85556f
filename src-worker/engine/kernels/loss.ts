import type { NetworkSpec } from '../../../src-shared/model/network';

/**
 * What a loss makes of the logits of a minibatch, (n, classes): `probabilities` = softmax(logits) and `error` = dL/d logits
 * of the mean loss, so with a factor of 1/n. `correct` counts rows whose largest logit (the first of equals; NaN counts as
 * larger than any number, as in torch.argmax) is the label's. A minibatch with a NaN logit has the loss NaN.
 */
export type LossKernel = (
  logits: Float32Array,
  labels: Uint8Array,
  probabilities: Float32Array,
  error: Float32Array,
) => { readonly loss: number; readonly correct: number };

/** Of one example: its loss, and in `error` its dL/dz without the factor 1/n; all in float64. */
type ExampleLoss = (softmax: Softmax, label: number, error: Float64Array) => number;

/** softmax(z); -log p[k] = logSum - (z[k] - largest) needs no logarithm of a p that was rounded to 0. */
interface Softmax {
  readonly values: Float64Array;
  readonly logits: Float64Array;
  largest: number;
  /** log of the sum of exp(z - largest). */
  logSum: number;
}

const rowsOf =
  (ofExample: ExampleLoss): LossKernel =>
  (logits, labels, probabilities, error) => {
    const n = labels.length;
    const classes = logits.length / n;
    const softmax = newSoftmax(classes);
    const errorRow = new Float64Array(classes);
    let lossSum = 0;
    let correct = 0;
    for (let example = 0; example < n; example++) {
      const row = example * classes;
      const label = labels[example]!;
      for (let k = 0; k < classes; k++) softmax.logits[k] = logits[row + k]!;
      if (computeSoftmax(softmax) === label) correct++;
      lossSum += ofExample(softmax, label, errorRow);
      for (let k = 0; k < classes; k++) {
        probabilities[row + k] = softmax.values[k]!;
        error[row + k] = errorRow[k]! / n;
      }
    }
    return { loss: lossSum / n, correct };
  };

/** -log p[label] with p = softmax(z); dL/dz = p - onehot(label). */
function crossEntropy(softmax: Softmax, label: number, error: Float64Array): number {
  const { values, logits, largest, logSum } = softmax;
  for (let k = 0; k < values.length; k++) error[k] = values[k]! - (k === label ? 1 : 0);
  return logSum - (logits[label]! - largest);
}

/**
 * -log q[label] with q = softmax(p), p = softmax(z): probabilities taken for logits. With u = dL/dp = q - onehot(label), the
 * softmax between gives dL/dz[k] = p[k] (u[k] - sum over j of p[j] u[j]), which goes to 0 where p is sure, rightly or not.
 */
function crossEntropyOfSoftmax({ values: p }: Softmax, label: number, error: Float64Array): number {
  const second = newSoftmax(p.length);
  second.logits.set(p);
  computeSoftmax(second);
  const loss = crossEntropy(second, label, error);
  let mean = 0;
  for (let k = 0; k < p.length; k++) mean += p[k]! * error[k]!;
  for (let k = 0; k < p.length; k++) error[k] = p[k]! * (error[k]! - mean);
  return loss;
}

const newSoftmax = (classes: number): Softmax => ({
  values: new Float64Array(classes),
  logits: new Float64Array(classes),
  largest: 0,
  logSum: 0,
});

/** Shifted by the largest logit, so that nothing overflows. Returns the class of the largest. */
function computeSoftmax(softmax: Softmax): number {
  const { values, logits } = softmax;
  let predicted = 0;
  for (let k = 1; k < logits.length; k++) {
    const best = logits[predicted]!;
    const value = logits[k]!;
    if (value > best || (Number.isNaN(value) && !Number.isNaN(best))) predicted = k;
  }
  const largest = logits[predicted]!;
  let sum = 0;
  for (let k = 0; k < logits.length; k++) {
    const power = Math.exp(logits[k]! - largest);
    values[k] = power;
    sum += power;
  }
  for (let k = 0; k < logits.length; k++) values[k] = values[k]! / sum;
  softmax.largest = largest;
  softmax.logSum = Math.log(sum);
  return predicted;
}

export const LOSS_KERNELS: Readonly<Record<NetworkSpec['loss'], LossKernel>> = {
  softmaxCrossEntropy: rowsOf(crossEntropy),
  softmaxOfSoftmaxCrossEntropy: rowsOf(crossEntropyOfSoftmax),
};
