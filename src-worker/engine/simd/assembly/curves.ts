import * as f from '../fields';
import { address, storeLanes, word } from './memory';

/**
 * Sigmoid and tanh of four values at once, by polynomials (after Cephes' expf and tanhf): no tables, so no data. Good to two units
 * in the last place. NaN stays NaN.
 */

/** exp(x) for x in -87..88; beyond that, of the nearest end. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, f32x4.splat(88)), f32x4.splat(-87));
  const n = f32x4.floor(f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), f32x4.splat(0.5)));
  // x - n log 2, in two parts, the first of which is exact.
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

// @ts-ignore: decorator
@inline
function sigmoidOf(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
function tanhOf(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const one = f32x4.splat(1);
  const sum = f32x4.add(exponential(f32x4.add(magnitude, magnitude)), one);
  const large = v128.or(f32x4.sub(one, f32x4.div(f32x4.splat(2), sum)), v128.and(x, f32x4.splat(-0.0)));
  // Near 0 that difference would leave few digits.
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  return v128.bitselect(small, large, f32x4.lt(magnitude, f32x4.splat(0.625)));
}

// @ts-ignore: decorator
@inline
function exampleOf(d: usize, field: i32, example: i32): usize {
  return address(d, field) + (<usize>(example * word(d, f.OUTPUT_SIZE)) << 2);
}

/** y = 1 / (1 + exp(-x)) */
export function sigmoid(d: usize, example: i32): void {
  let from = exampleOf(d, f.INPUT, example), to = exampleOf(d, f.OUTPUT, example);
  for (let left = word(d, f.OUTPUT_SIZE); left > 0; left -= 4, from += 16, to += 16)
    storeLanes(to, sigmoidOf(v128.load(from)), left);
}

export function tanh(d: usize, example: i32): void {
  let from = exampleOf(d, f.INPUT, example), to = exampleOf(d, f.OUTPUT, example);
  for (let left = word(d, f.OUTPUT_SIZE); left > 0; left -= 4, from += 16, to += 16)
    storeLanes(to, tanhOf(v128.load(from)), left);
}

/** dL/dx = dL/dy y (1 - y) */
export function sigmoidError(d: usize, example: i32): void {
  let value = exampleOf(d, f.OUTPUT, example), from = exampleOf(d, f.OUTPUT_ERROR, example), to = exampleOf(d, f.INPUT_ERROR, example);
  for (let left = word(d, f.OUTPUT_SIZE); left > 0; left -= 4, value += 16, from += 16, to += 16) {
    const y = v128.load(value);
    const slope = f32x4.mul(y, f32x4.sub(f32x4.splat(1), y));
    storeLanes(to, f32x4.mul(v128.load(from), slope), left);
  }
}

/** dL/dx = dL/dy (1 - y^2) */
export function tanhError(d: usize, example: i32): void {
  let value = exampleOf(d, f.OUTPUT, example), from = exampleOf(d, f.OUTPUT_ERROR, example), to = exampleOf(d, f.INPUT_ERROR, example);
  for (let left = word(d, f.OUTPUT_SIZE); left > 0; left -= 4, value += 16, from += 16, to += 16) {
    const y = v128.load(value);
    const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(y, y));
    storeLanes(to, f32x4.mul(v128.load(from), slope), left);
  }
}
