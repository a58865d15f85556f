import { highProduct, philox4x32, WORDS_PER_BLOCK } from './philox';

/** What random numbers are for. Each purpose has numbers of its own; a code is part of what a seed means and never changes. */
const PURPOSE_CODES = {
  weightInitialisation: 1,
  biasInitialisation: 2,
  minibatchOrder: 3,
  dropout: 4,
} as const;

export type Purpose = keyof typeof PURPOSE_CODES;

/**
 * Names a sequence of random numbers: number `index` of it is a pure function of these four and the index. Whoever needs
 * it computes it anew, in any order, as often as they like; nothing has to be saved or restored.
 */
export interface RandomPlace {
  /** 0 <= seed < 2^32. */
  readonly seed: number;
  readonly purpose: Purpose;
  /** A step or an epoch, whichever the purpose counts by; 0 <= step < 2^32. */
  readonly step: number;
  /** Index of a layer, 0 where the purpose knows no layers. */
  readonly layer: number;
}

/** Fills `words` with the first words of the place's sequence, from word `first` on; `first` is a multiple of 4. */
export function fillWords(words: Uint32Array, place: RandomPlace, first = 0): void {
  const key = [place.seed, PURPOSE_CODES[place.purpose]] as const;
  const block = new Uint32Array(WORDS_PER_BLOCK);
  for (let offset = 0; offset < words.length; offset += WORDS_PER_BLOCK) {
    const counter = [(first + offset) / WORDS_PER_BLOCK, place.layer, place.step, 0] as const;
    if (offset + WORDS_PER_BLOCK <= words.length) {
      philox4x32(counter, key, words, offset);
    } else {
      philox4x32(counter, key, block);
      words.set(block.subarray(0, words.length - offset), offset);
    }
  }
}

/** A word as a number in [0, 1): its upper 24 bits, so that float32 holds it exactly and never rounds it up to 1. */
export const toUnitInterval = (word: number): number => (word >>> 8) * 2 ** -24;

/**
 * 0..count-1 in random order; every order is equally likely (Fisher-Yates, from the end).
 * Bounded integers come by multiplication and rejection, without bias: D. Lemire, "Fast random integer generation in an
 * interval", ACM TOMACS 29 (2019).
 */
export function permutation(count: number, place: RandomPlace): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  const words = new WordReader(place);
  for (let i = count - 1; i > 0; i--) {
    const j = words.below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

/** Reads the words of a place one after the other: rejection takes an unknown number of them. */
class WordReader {
  readonly #place: RandomPlace;
  readonly #chunk = new Uint32Array(256);
  #next = 0;

  constructor(place: RandomPlace) {
    this.#place = place;
  }

  /** An integer in [0, bound), each equally likely; 0 < bound < 2^32. */
  below(bound: number): number {
    // 2^32 mod bound values of the low half would make the first results likelier than the rest: they are drawn again.
    const biased = 2 ** 32 % bound;
    for (;;) {
      const word = this.#word();
      if (Math.imul(word, bound) >>> 0 >= biased) return highProduct(word, bound);
    }
  }

  #word(): number {
    const within = this.#next % this.#chunk.length;
    if (within === 0) fillWords(this.#chunk, this.#place, this.#next);
    this.#next += 1;
    return this.#chunk[within]!;
  }
}
