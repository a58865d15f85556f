import { GradscopeError } from '../protocol/errors';
import { permutation } from '../tensor/random';

/** Which training images each minibatch of an epoch holds. */
export interface MinibatchOrder {
  readonly stepsPerEpoch: number;
  /** Training-image indices of a minibatch; epoch counted from 1, stepInEpoch from 0. A fresh array each time. */
  indices(epoch: number, stepInEpoch: number): number[];
}

/**
 * Every image once an epoch, in an order that is a pure function of (seed, epoch); the last minibatch has what is left.
 */
export function shuffledOrder(examples: number, batchSize: number, seed: number): MinibatchOrder {
  let shuffled: { readonly epoch: number; readonly order: Uint32Array } = {
    epoch: 0,
    order: new Uint32Array(0),
  };
  return {
    stepsPerEpoch: Math.ceil(examples / batchSize),
    indices(epoch, stepInEpoch) {
      // Shuffling 60,000 images takes a few milliseconds, so an epoch's order is kept until another is asked for.
      if (shuffled.epoch !== epoch) {
        const place = { seed, purpose: 'minibatchOrder', step: epoch, layer: 0 } as const;
        shuffled = { epoch, order: permutation(examples, place) };
      }
      return Array.from(shuffled.order.subarray(stepInEpoch * batchSize, (stepInEpoch + 1) * batchSize));
    },
  };
}

/** The listed minibatches, the same ones each epoch. @throws GradscopeError `bad-order` as checkOrder does. */
export function listedOrder(batches: readonly (readonly number[])[], examples: number): MinibatchOrder {
  checkOrder(batches, examples);
  return {
    stepsPerEpoch: batches.length,
    indices: (_epoch, stepInEpoch) => [...(batches[stepInEpoch] ?? [])],
  };
}

/**
 * Anything that is not a list of non-empty lists of indices of training images is refused.
 * @param source what to call the order in the sentence, e.g. the file's name
 * @throws GradscopeError `bad-order` naming batch, position, index and range (all counted from 0).
 */
export function checkOrder(
  order: unknown,
  examples: number,
  source = 'The order',
): asserts order is readonly (readonly number[])[] {
  const refuse = (sentence: string): never => {
    throw new GradscopeError('bad-order', `${source}: ${sentence}`);
  };
  if (!Array.isArray(order)) refuse('expected a list of batches, each a list of training-image indices.');
  const batches = order as unknown[];
  if (batches.length === 0) refuse('expected at least one batch, found none.');
  for (const [batch, indices] of batches.entries()) {
    if (!Array.isArray(indices) || indices.length === 0) {
      refuse(`expected batch ${batch} to be a list of at least one training-image index.`);
    }
    for (const [position, index] of (indices as unknown[]).entries()) {
      if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < examples) continue;
      const found = JSON.stringify(index);
      refuse(
        `expected a training-image index from 0 to ${examples - 1} in batch ${batch} at position ${position}, ` +
          `found ${found.length > 40 ? `${found.slice(0, 40)}...` : found}.`,
      );
    }
  }
}
