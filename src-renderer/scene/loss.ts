import type { NetworkSpec } from '../../src-shared/model/network';
import { formatCount, formatFixed } from './numbers';

export type LossKind = NetworkSpec['loss'];

/** What the loss does to the logits, operation by operation, as its row in the scope names it. */
export const LOSS_STEPS: Readonly<Record<LossKind, readonly string[]>> = {
  softmaxCrossEntropy: ['log-softmax', 'NLL'],
  softmaxOfSoftmaxCrossEntropy: ['softmax', 'softmax', 'NLL'],
};

/** exp(z[k]) / sum of exp(z), shifted by the largest so that nothing overflows. */
export function softmax(logits: Float32Array): Float32Array {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return Float32Array.from(exponentials, (value) => value / sum);
}

/** Loss of one example, from the network's probabilities p = softmax(z). */
export function exampleLoss(kind: LossKind, probabilities: Float32Array, label: number): number {
  const taken = kind === 'softmaxOfSoftmaxCrossEntropy' ? softmax(probabilities) : probabilities;
  return -Math.log(taken[label] ?? Number.NaN);
}

/**
 * The error that softmax and cross-entropy send back to the logits of one of `examples` over which the loss is a mean:
 * dL/dz = (p - onehot(label)) / examples.
 */
export const crossEntropyError = (
  probabilities: Float32Array,
  label: number,
  examples: number,
): Float32Array => probabilities.map((probability, k) => (probability - (k === label ? 1 : 0)) / examples);

/** How a norm compares with another: `10 times weaker than`, `as strong as`. */
export function strengthText(norm: number, other: number): string {
  if (!Number.isFinite(norm) || !Number.isFinite(other)) return 'not to be compared with';
  if (norm === 0 && other > 0) return 'nothing against';
  if (norm === other) return 'as strong as';
  if (other === 0) return 'not to be compared with';
  const [ratio, word] = norm < other ? [other / norm, 'weaker'] : [norm / other, 'stronger'];
  if (ratio < 1.05) return 'about as strong as';
  if (ratio >= 1e6) return `over a million times ${word} than`;
  return `${ratio < 9.95 ? formatFixed(ratio, 1) : formatCount(ratio)} times ${word} than`;
}
