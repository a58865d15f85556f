import { fillWords, toUnitInterval } from '../tensor/random';
import { sizeOf, type LayerPlan, type LayerSpec } from './network';

type DropoutSpec = Extract<LayerSpec, { kind: 'dropout' }>;

/** Shape of what a dropout layer decides on for one example: its channels, or every value. */
export function maskShape(layer: LayerPlan): readonly number[] {
  return dropoutSpecOf(layer).unit === 'channel' ? layer.outputShape.slice(0, 1) : layer.outputShape;
}

/**
 * Factors of a dropout layer for the minibatch of a step: 0 with probability `rate`, else 1/(1-rate) in float32 ("inverted
 * dropout", as in PyTorch and Keras). Shape (n, channels) for unit `channel`, else (n, ...outputShape), channel first.
 *
 * A pure function of (seed, step, layer), so a minibatch done again drops the same values.
 */
export function dropoutMask(layer: LayerPlan, n: number, seed: number, step: number): Float32Array {
  const { rate } = dropoutSpecOf(layer);
  const words = new Uint32Array(n * sizeOf(maskShape(layer)));
  fillWords(words, { seed, purpose: 'dropout', step, layer: layer.index });
  const factors = new Float32Array(words.length);
  const keep = keepFactor(rate);
  for (let i = 0; i < factors.length; i++) factors[i] = toUnitInterval(words[i]!) < rate ? 0 : keep;
  return factors;
}

/** What is kept is multiplied by this, before it is rounded to float32. */
export const keepFactor = (rate: number): number => 1 / (1 - rate);

/** toUnitInterval(word) < rate, as a bound of the upper 24 bits of the word: an integer. */
export const droppedBelow = (rate: number): number => Math.ceil(rate * 2 ** 24);

function dropoutSpecOf(layer: LayerPlan): DropoutSpec {
  if (layer.spec.kind !== 'dropout') throw new TypeError(`${layer.spec.name} is no dropout layer.`);
  return layer.spec;
}
