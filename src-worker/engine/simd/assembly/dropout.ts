import * as f from '../fields';
import { address, float, word } from './memory';

/**
 * Dropout draws its factors here, word for word as src-shared/model/dropout-mask.ts does from the generator of
 * src-shared/tensor/philox.ts, which has the formulas.
 */

const MULTIPLIER_0: u64 = 0xd2511f53;
const MULTIPLIER_1: u64 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;
const ROUNDS: i32 = 10;
/** Of random numbers for dropout; see src-shared/tensor/random.ts. */
const PURPOSE: u32 = 4;

/** Factors of one example: word i of it decides on channel i, or on value i counted channel first. */
export function drawFactors(d: usize, example: i32): void {
  const channels = word(d, f.OUT_CHANNELS);
  // A channel is decided on as a whole, as if it were one pixel.
  const pixels = word(d, f.FACTORS_BY_CHANNEL) != 0 ? 1 : word(d, f.OUT_HEIGHT) * word(d, f.OUT_WIDTH);
  const size = channels * pixels;
  const below = <u32>word(d, f.DROPPED_BELOW), keep = float(d, f.KEEP_FACTOR);
  const seed = <u32>word(d, f.DRAW_SEED), step = <u32>word(d, f.DRAW_STEP), layer = <u32>word(d, f.DRAW_LAYER);
  const factors = address(d, f.FACTORS) + (<usize>(example * size) << 2);
  const first = example * size;
  const end = first + size;
  let channel = 0, pixel = 0;
  for (let block = first >> 2; block << 2 < end; block++) {
    let c0 = <u32>block, c1 = layer, c2 = step, c3: u32 = 0;
    let k0 = seed, k1 = PURPOSE;
    for (let round = 0; round < ROUNDS; round++) {
      const product0 = MULTIPLIER_0 * <u64>c0, product1 = MULTIPLIER_1 * <u64>c2;
      c0 = <u32>(product1 >> 32) ^ c1 ^ k0;
      c1 = <u32>product1;
      c2 = <u32>(product0 >> 32) ^ c3 ^ k1;
      c3 = <u32>product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    // The first and the last block may be shared with other examples.
    for (let lane = max(first - (block << 2), 0), lanes = min(end - (block << 2), 4); lane < lanes; lane++) {
      store<f32>(
        factors + (<usize>(pixel * channels + channel) << 2),
        laneOf(c0, c1, c2, c3, lane) >> 8 < below ? 0 : keep,
      );
      if (++pixel == pixels) {
        pixel = 0;
        channel++;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function laneOf(c0: u32, c1: u32, c2: u32, c3: u32, lane: i32): u32 {
  return lane < 2 ? (lane == 0 ? c0 : c1) : lane == 2 ? c2 : c3;
}
