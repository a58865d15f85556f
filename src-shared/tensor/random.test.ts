import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highProduct, philox4x32 } from './philox';
import { fillWords, permutation, toUnitInterval, type RandomPlace } from './random';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const placeOf = (changes: Partial<RandomPlace> = {}): RandomPlace => ({
  seed: 1,
  purpose: 'dropout',
  step: 1,
  layer: 4,
  ...changes,
});
const wordsOf = (place: RandomPlace, count: number): Uint32Array => {
  const words = new Uint32Array(count);
  fillWords(words, place);
  return words;
};

describe('philox4x32', () => {
  // Known answers of the Random123 library (kat_vectors, philox 4x32 with 10 rounds): a wrong constant, round or carry.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published words for counter %j and key %j', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect([...out]).toEqual([...expected]);
  });

  it('multiplies to the exact upper half of 64 bits', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(highProduct(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
      }),
    );
  });
});

describe('fillWords', () => {
  it('is a pure function: the same place gives the same words, however they are asked for', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 8 }),
        (seed, step, count, block) => {
          const place = placeOf({ seed, step });
          const all = wordsOf(place, 80);
          expect(wordsOf(place, count)).toEqual(all.slice(0, count));
          const later = new Uint32Array(count);
          fillWords(later, place, block * 4);
          expect(later).toEqual(all.slice(block * 4, block * 4 + count));
        },
      ),
    );
  });

  it('gives other words for another seed, purpose, step or layer', () => {
    const places = [
      placeOf(),
      placeOf({ seed: 2 }),
      placeOf({ purpose: 'minibatchOrder' }),
      placeOf({ step: 2 }),
      placeOf({ layer: 5 }),
      // Swapping two coordinates must matter too.
      placeOf({ step: 4, layer: 1 }),
    ];
    expect(new Set(places.map((place) => wordsOf(place, 8).join())).size).toBe(places.length);
  });
});

describe('toUnitInterval', () => {
  it('never reaches 1, not even in float32', () => {
    expect(Math.fround(toUnitInterval(0xffffffff))).toBeLessThan(1);
    expect(toUnitInterval(0)).toBe(0);
    fc.assert(fc.property(word, (w) => Math.fround(toUnitInterval(w)) === toUnitInterval(w)));
  });

  it('is uniform: sixteen bins of a million numbers differ no more than chance allows', () => {
    const count = 1 << 20;
    const bins = new Float64Array(16);
    for (const w of wordsOf(placeOf(), count)) bins[Math.floor(toUnitInterval(w) * 16)]! += 1;
    const expected = count / 16;
    const chiSquared = bins.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: 0.999 quantile 37.7; the numbers are fixed, so this cannot flake.
    expect(chiSquared).toBeLessThan(37.7);
  });
});

describe('permutation', () => {
  it('holds every index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), word, (count, seed) => {
        const order = permutation(count, placeOf({ seed, purpose: 'minibatchOrder' }));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it('gives all 24 orders of four about equally often (an off-by-one in Fisher-Yates gives some never)', () => {
    const seen = new Map<string, number>();
    const rounds = 24_000;
    for (let seed = 0; seed < rounds; seed++) {
      const key = permutation(4, placeOf({ seed, purpose: 'minibatchOrder' })).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const chiSquared = [...seen.values()].reduce((sum, found) => sum + (found - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom: 0.999 quantile 49.7.
    expect(chiSquared).toBeLessThan(49.7);
  });
});
