import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inRounds, randomFrom, shuffled } from './rounds';

describe('rounds', () => {
  it('measure every item once a round, none beside another', async () => {
    let running = 0;
    const seen: number[] = [];
    const rounds = await inRounds([1, 2, 3, 4], 5, randomFrom(1), async (item) => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      seen.push(item);
      return item * 10;
    });
    expect(rounds).toHaveLength(5);
    for (let round = 0; round < 5; round += 1) {
      expect(seen.slice(round * 4, round * 4 + 4).toSorted()).toEqual([1, 2, 3, 4]);
      expect(rounds[round]?.get(3)).toBe(30);
    }
    // Were the order the same in every round, whoever comes first would always meet the same moment.
    expect(
      new Set([0, 1, 2, 3, 4].map((round) => seen.slice(round * 4, round * 4 + 4).join(''))).size,
    ).toBeGreaterThan(1);
  });

  it('come in the same order from the same seed', () => {
    const order = (seed: number): number[] => shuffled([...Array(20).keys()], randomFrom(seed));
    expect(order(7)).toEqual(order(7));
    expect(order(7)).not.toEqual(order(8));
  });

  it('lose and repeat nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        expect(shuffled(items, randomFrom(seed)).toSorted()).toEqual(items.toSorted());
      }),
    );
  });
});
