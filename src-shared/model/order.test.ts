import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOrder, listedOrder, orderFault, shuffledOrder } from './order';

const sorted = (values: number[]): number[] => [...values].sort((a, b) => a - b);

describe('shuffledOrder', () => {
  it('takes every image exactly once an epoch, the last minibatch being what is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 1, max: 5 }),
        (examples, batchSize, seed, epoch) => {
          const order = shuffledOrder(examples, batchSize, seed);
          const batches = Array.from({ length: order.stepsPerEpoch }, (_, step) =>
            order.indices(epoch, step),
          );
          for (const batch of batches.slice(0, -1)) expect(batch).toHaveLength(batchSize);
          expect(batches.at(-1)).not.toHaveLength(0);
          expect(sorted(batches.flat())).toEqual(Array.from({ length: examples }, (_, i) => i));
        },
      ),
    );
  });

  it('has 938 minibatches for MNIST in 64s, the last with 32', () => {
    const order = shuffledOrder(60_000, 64, 1);
    expect(order.stepsPerEpoch).toBe(938);
    expect(order.indices(1, 937)).toHaveLength(32);
  });

  it('shuffles anew each epoch, and comes back to the same order when an epoch is asked for again', () => {
    const order = shuffledOrder(1000, 100, 7);
    const first = order.indices(1, 3);
    expect(order.indices(2, 3)).not.toEqual(first);
    expect(order.indices(1, 3)).toEqual(first);
    expect(shuffledOrder(1000, 100, 7).indices(1, 3)).toEqual(first);
    expect(shuffledOrder(1000, 100, 8).indices(1, 3)).not.toEqual(first);
  });

  it('hands out arrays that the caller may change', () => {
    const order = shuffledOrder(10, 5, 7);
    const indices = order.indices(1, 0);
    const kept = [...indices];
    indices.fill(0);
    expect(order.indices(1, 0)).toEqual(kept);
  });
});

describe('listedOrder', () => {
  it('repeats the listed minibatches each epoch, whatever their sizes', () => {
    const order = listedOrder([[3, 1], [2]], 4);
    expect(order.stepsPerEpoch).toBe(2);
    expect([order.indices(1, 0), order.indices(1, 1), order.indices(2, 0)]).toEqual([[3, 1], [2], [3, 1]]);
  });
});

describe('checkOrder', () => {
  it.each([
    [
      [
        [0, 1],
        [2, 10],
      ],
      'order.json: expected a training-image index from 0 to 9 in batch 1 at position 1, found 10.',
    ],
    [
      [[0, -1]],
      'order.json: expected a training-image index from 0 to 9 in batch 0 at position 1, found -1.',
    ],
    [[[1.5]], 'order.json: expected a training-image index from 0 to 9 in batch 0 at position 0, found 1.5.'],
    [[['1']], 'order.json: expected a training-image index from 0 to 9 in batch 0 at position 0, found "1".'],
    [[[0], []], 'order.json: expected batch 1 to be a list of at least one training-image index.'],
    [[0], 'order.json: expected batch 0 to be a list of at least one training-image index.'],
    [[], 'order.json: expected at least one batch, found none.'],
    [{ batches: [] }, 'order.json: expected a list of batches, each a list of training-image indices.'],
  ])('refuses %j in one sentence', (order, sentence) => {
    expect(() => {
      checkOrder(order, 10, 'order.json');
    }).toThrow(expect.objectContaining({ code: 'bad-order', message: sentence }));
  });

  it.each([
    [
      [[0, 10, 11], [12], [13, 1]],
      'found 10; 11 in batch 0 at position 2; 12 in batch 1 at position 0; 1 more.',
    ],
    [
      [Array(200_000).fill(-1)],
      'found -1; -1 in batch 0 at position 1; -1 in batch 0 at position 2; 199997 more.',
    ],
    [[['x'.repeat(1e6)]], 'found "xxx'],
    [[[[[[]]]]], 'found a list.'],
    [[[0], Array(450_001).fill(1)], 'expected at most 450000 indices in a batch, found 450001 in batch 1.'],
    [[Array(900_000).fill(1)], 'expected at most 900000 indices and batches all together, found more.'],
  ])('names the first wrong ones, in one short sentence (%#)', (order, part) => {
    expect(() => {
      checkOrder(order, 10);
    }).toThrow(part);
    expect(orderFault(order, 10)?.length).toBeLessThan(300);
  });

  it('accepts what is in range', () => {
    expect(() => {
      checkOrder([[0, 9], [9]], 10);
    }).not.toThrow();
  });
});
