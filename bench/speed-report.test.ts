import { describe, expect, it } from 'vitest';
import type { EngineName } from '../src-shared/model/run-config';
import { Peer, type Measured } from './peer';
import { median, medianInterval } from './report';
import type { Contender, Node, Speeds } from './speed';
import { ratiosOfAuto, ratiosOfWatched, ratiosToBest } from './speed-report';

/** Reports ask nothing of it. */
const NO_PEER = Object.create(Peer.prototype) as Peer;
const NODE: Node = { name: 'Node', command: 'node' };
const contender = (
  name: string,
  engine: EngineName | null,
  threads: number,
  mode = 'imperative',
): Contender => ({
  competitor: {
    name,
    ours: engine === null ? null : { engine, node: NODE },
    threads,
    modes: ['m'],
    peer: NO_PEER,
  },
  mode,
});
const speedsOf = (contenders: Contender[], rounds: Speeds['rounds']): Speeds => ({
  recipe: 'r',
  batchSize: 64,
  contenders,
  rounds,
  megabytes: 0,
  auto: [],
});
const measured = (images: number): Measured => ({ images, seconds: 1, cpuSeconds: 1, loss: null });

describe('the report', () => {
  it('compares with the best peer of the same round and thread count', () => {
    const [ours, a, b, two] = [
      contender('ours', 'simd', 1),
      contender('a', null, 1),
      contender('b', null, 1),
      contender('two', null, 2),
    ];
    const speeds = speedsOf(
      [ours, a, b, two],
      [
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
    );
    expect(ratiosToBest(speeds, ours, 1)).toEqual([2, 0.5]);
    expect(ratiosToBest(speeds, ours, 2)).toEqual([0.5, 0.5]);
    expect(ratiosToBest(speeds, ours, 4)).toEqual([]);
  });

  it('holds the engine that auto takes, with all threads, to the fastest of ours', () => {
    const one = contender('simd', 'simd', 1);
    const two = contender('simd', 'simd', 2);
    const wasm = contender('wasm', 'wasm', 1);
    const fit = contender('simd', 'simd', 2, 'fit');
    const peer = contender('peer', null, 2);
    const speeds = speedsOf(
      [one, two, wasm, fit, peer],
      [
        new Map([
          [one, measured(100)],
          [two, measured(80)],
          [wasm, measured(50)],
          [fit, measured(900)],
          [peer, measured(900)],
        ]),
        new Map([
          [one, measured(100)],
          [two, measured(200)],
          [wasm, measured(50)],
        ]),
      ],
    );
    const choice = { node: NODE, variant: '', because: '' };
    expect(ratiosOfAuto(speeds, { ...choice, engine: 'simd' })).toEqual([0.8, 1]);
    expect(ratiosOfAuto(speeds, { ...choice, engine: 'wasm' })).toEqual([0.5, 0.25]);
    expect(ratiosOfAuto(speeds, { ...choice, engine: 'cpu' })).toEqual([]);
    expect(ratiosOfAuto(speeds, { ...choice, engine: 'simd', node: { ...NODE } })).toEqual([]);
  });

  it('holds who is watched to itself alone', () => {
    const free = contender('simd', 'simd', 2);
    const watched = { ...free, mode: 'watched' };
    const other = contender('simd', 'simd', 1);
    const speeds = speedsOf(
      [free, watched, other],
      [
        new Map([
          [free, measured(200)],
          [watched, measured(150)],
          [other, measured(900)],
        ]),
      ],
    );
    expect(ratiosOfWatched(speeds, watched)).toEqual([0.75]);
    expect(ratiosOfWatched(speedsOf([watched], speeds.rounds), watched)).toEqual([]);
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
