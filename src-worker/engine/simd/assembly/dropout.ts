import * as f from '../fields';
import { address, float, word } from './memory';

/**
 * Dropout draws its factors here, word for word as src-shared/model/dropout-mask.ts does from the generator of
 * src-shared/tensor/philox.ts, which has the formulas.
 */

const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: i32 = 0x9e3779b9;
const WEYL_1: i32 = 0xbb67ae85;
const ROUNDS: i32 = 10;
/** Of random numbers for dropout; see src-shared/tensor/random.ts. */
const PURPOSE: i32 = 4;

/** 32 bits of each of four products of 64: the upper, the lower. */
// @ts-ignore: decorator
@inline
function upper(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/** Factors of one example: word i of it decides on channel i, or on value i counted channel first. */
export function drawFactors(d: usize, example: i32, scratch: usize): void {
  const channels = word(d, f.OUT_CHANNELS);
  // A channel is decided on as a whole, as if it were one pixel.
  const pixels = word(d, f.FACTORS_BY_CHANNEL) != 0 ? 1 : word(d, f.OUT_HEIGHT) * word(d, f.OUT_WIDTH);
  const size = channels * pixels;
  const first = example * size, end = first + size;
  const factors = address(d, f.FACTORS) + (<usize>first << 2);
  let channel = 0, pixel = 0;
  // The first and the last blocks may be shared with other examples.
  for (let from = first & ~3; from < end; from += WORDS_AT_ONCE) {
    drawBlocks(d, from >> 2, scratch);
    const last = min(end - from, WORDS_AT_ONCE);
    for (let i = max(first - from, 0); i < last; i++) {
      store<f32>(factors + (<usize>(pixel * channels + channel) << 2), load<f32>(scratch + (<usize>i << 2)));
      if (++pixel == pixels) {
        pixel = 0;
        channel++;
      }
    }
  }
}

const WORDS_AT_ONCE: i32 = 16;

/** The factors that four blocks of four words each decide on, a block in each lane. */
function drawBlocks(d: usize, block: i32, to: usize): void {
  const multiplier0 = i32x4.splat(MULTIPLIER_0), multiplier1 = i32x4.splat(MULTIPLIER_1);
  const weyl0 = i32x4.splat(WEYL_0), weyl1 = i32x4.splat(WEYL_1);
  let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3)), c1 = i32x4.splat(word(d, f.DRAW_LAYER));
  let c2 = i32x4.splat(word(d, f.DRAW_STEP)), c3 = i32x4.splat(0);
  let k0 = i32x4.splat(word(d, f.DRAW_SEED)), k1 = i32x4.splat(PURPOSE);
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = upper(c0, multiplier0), low0 = i32x4.mul(c0, multiplier0);
    const high1 = upper(c2, multiplier1), low1 = i32x4.mul(c2, multiplier1);
    c0 = v128.xor(v128.xor(high1, c1), k0);
    c1 = low1;
    c2 = v128.xor(v128.xor(high0, c3), k1);
    c3 = low0;
    k0 = i32x4.add(k0, weyl0);
    k1 = i32x4.add(k1, weyl1);
  }
  const below = i32x4.splat(word(d, f.DROPPED_BELOW)), keep = f32x4.splat(float(d, f.KEEP_FACTOR));
  // Word by word of each block.
  const even0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), odd0 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
  const even1 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5), odd1 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
  v128.store(to, factorsOf(v128.shuffle<i32>(even0, even1, 0, 1, 4, 5), below, keep));
  v128.store(to, factorsOf(v128.shuffle<i32>(even0, even1, 2, 3, 6, 7), below, keep), 16);
  v128.store(to, factorsOf(v128.shuffle<i32>(odd0, odd1, 0, 1, 4, 5), below, keep), 32);
  v128.store(to, factorsOf(v128.shuffle<i32>(odd0, odd1, 2, 3, 6, 7), below, keep), 48);
}

// @ts-ignore: decorator
@inline
function factorsOf(words: v128, below: v128, keep: v128): v128 {
  return v128.andnot(keep, i32x4.lt_s(i32x4.shr_u(words, 8), below));
}
