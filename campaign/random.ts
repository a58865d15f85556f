import { philox4x32 } from '../src-shared/tensor/philox';

/** Random numbers of a campaign: the same seed and stream give the same ones. */
export class Random {
  private readonly key: readonly [number, number];
  private readonly words = new Uint32Array(4);
  private drawn = 0;

  /** @param stream - campaigns that share a seed draw from streams of their own */
  constructor(seed: number, stream = 0) {
    this.key = [seed, stream];
  }

  /** 0 <= word < 2^32 */
  word(): number {
    const within = this.drawn % 4;
    if (within === 0) philox4x32([Math.floor(this.drawn / 4), 0, 0, 0], this.key, this.words);
    this.drawn += 1;
    return this.words[within]!;
  }

  /** A whole number, 0 <= number < bound. */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  /** One of the items. @throws RangeError when there are none */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
