import { describe, expect, it } from 'vitest';
import { Peer, type Measured } from './peer';
import { median, medianInterval } from './report';
import type { Contender, Speeds } from './speed';
import { ratiosToBest } from './speed-report';

/** Reports ask nothing of it. */
const NO_PEER = Object.create(Peer.prototype) as Peer;
const contender = (name: string, ours: boolean, threads: number): Contender => ({
  competitor: { name, ours, threads, modes: ['m'], peer: NO_PEER },
  mode: 'm',
});
const measured = (images: number): Measured => ({ images, seconds: 1, cpuSeconds: 1, loss: null });

describe('the report', () => {
  it('compares with the best peer of the same round and thread count', () => {
    const [ours, a, b, two] = [
      contender('ours', true, 1),
      contender('a', false, 1),
      contender('b', false, 1),
      contender('two', false, 2),
    ];
    const speeds: Speeds = {
      recipe: 'r',
      batchSize: 64,
      contenders: [ours, a, b, two],
      rounds: [
        new Map([
          [ours, measured(200)],
          [a, measured(100)],
          [b, measured(50)],
          [two, measured(400)],
        ]),
        new Map([
          [ours, measured(200)],
          [a, measured(100)],
          [b, measured(400)],
          [two, measured(400)],
        ]),
        new Map([
          [ours, null],
          [a, measured(100)],
          [b, measured(400)],
          [two, measured(400)],
        ]),
      ],
    };
    expect(ratiosToBest(speeds, ours, 1)).toEqual([2, 0.5]);
    expect(ratiosToBest(speeds, ours, 2)).toEqual([0.5, 0.5]);
    expect(ratiosToBest(speeds, ours, 4)).toEqual([]);
  });

  it('knows the middle and how sure it is', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    // Sign test: 2 * 0.5^6 = 3 % outside the extremes of 6 values, and 2 * 9 / 2^8 = 7 % outside the second ones of 8.
    expect(medianInterval([1, 2, 3, 4, 5, 6])).toEqual([1, 6]);
    expect(medianInterval([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([1, 8]);
    expect(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([2, 8]);
  });
});
