import { GradscopeError } from '../protocol/errors';
import { permutation } from '../tensor/random';
import { quoted } from '../text/shorten';

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
 * Most indices and batches in a listed order, all together: it travels in messages, which may have a million values
 * (src-shared/protocol/limits.ts), with the rest of a run's description beside it.
 */
export const MOST_ORDER_VALUES = 900_000;

/** Most indices of one batch: `status` tells each with its label, and a message may have a million values. */
export const MOST_BATCH_INDICES = 450_000;

/** Wrong indices that a sentence names one by one. */
const MOST_NAMED = 3;

/**
 * Anything that is not a list of non-empty lists of indices of training images is refused.
 * @param examples number of training images; Infinity: not known yet
 * @param source what to call the order in the sentence, e.g. the file's name
 * @throws GradscopeError `bad-order` naming the first wrong indices with batch and position (counted from 0), and the range.
 */
export function checkOrder(
  order: unknown,
  examples: number,
  source = 'The order',
): asserts order is readonly (readonly number[])[] {
  const fault = orderFault(order, examples);
  if (fault !== undefined) throw new GradscopeError('bad-order', `${source}: ${fault}.`);
}

/** What is wrong with an order, without subject and full stop; undefined: nothing. */
export function orderFault(order: unknown, examples: number): string | undefined {
  if (!Array.isArray(order)) return 'expected a list of batches, each a list of training-image indices';
  const batches = order as unknown[];
  if (batches.length === 0) return 'expected at least one batch, found none';
  let values = batches.length;
  const named: string[] = [];
  let wrong = 0;
  // Counted by hand: entries() takes several times as long, which hundreds of thousands of indices make felt.
  for (let batch = 0; batch < batches.length; batch += 1) {
    const indices = batches[batch];
    if (!Array.isArray(indices) || indices.length === 0) {
      return `expected batch ${batch} to be a list of at least one training-image index`;
    }
    values += indices.length;
    if (values > MOST_ORDER_VALUES) {
      return `expected at most ${MOST_ORDER_VALUES} indices and batches all together, found more`;
    }
    if (indices.length > MOST_BATCH_INDICES) {
      return `expected at most ${MOST_BATCH_INDICES} indices in a batch, found ${indices.length} in batch ${batch}`;
    }
    for (let position = 0; position < indices.length; position += 1) {
      const index = (indices as unknown[])[position];
      if (Number.isSafeInteger(index) && (index as number) >= 0 && (index as number) < examples) continue;
      wrong += 1;
      if (named.length === MOST_NAMED) continue;
      // A whole sentence for the first, and only what differs for those that follow.
      const place = `in batch ${batch} at position ${position}`;
      named.push(named.length === 0 ? `${place}, found ${found(index)}` : `${found(index)} ${place}`);
    }
  }
  if (wrong === 0) return undefined;
  const range = Number.isFinite(examples) ? `from 0 to ${examples - 1}` : 'from 0 on';
  const more = wrong > named.length ? [`${wrong - named.length} more`] : [];
  return `expected a training-image index ${range} ${[...named, ...more].join('; ')}`;
}

function found(value: unknown): string {
  if (typeof value === 'string') return quoted(value, 40);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
