/** Settings of a descriptor, and vectors of four float32. */

// @ts-ignore: decorator
@inline
export function word(descriptor: usize, field: i32): i32 {
  return load<i32>(descriptor + ((<usize>field) << 2));
}

// @ts-ignore: decorator
@inline
export function address(descriptor: usize, field: i32): usize {
  return <usize>load<i32>(descriptor + ((<usize>field) << 2));
}

// @ts-ignore: decorator
@inline
export function float(descriptor: usize, field: i32): f32 {
  return load<f32>(descriptor + ((<usize>field) << 2));
}

/** Up to the next multiple of four. */
// @ts-ignore: decorator
@inline
export function filledUp(count: i32): i32 {
  return (count + 3) & ~3;
}

/** a b + c: rounded once where the build has relaxed SIMD (and the processor does it), else after each operation. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  else return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splatOf(from: usize): v128 {
  return v128.load_splat<f32>(from);
}

/** Stores the first `lanes` values: what lies behind them may belong to another thread. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, value: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(to, value);
  } else {
    v128.store_lane<f32>(to, value, 0);
    if (lanes > 1) v128.store_lane<f32>(to, value, 1, 4);
    if (lanes > 2) v128.store_lane<f32>(to, value, 2, 8);
  }
}

// @ts-ignore: decorator
@inline
export function sumOfLanes(value: v128): f32 {
  return (
    f32x4.extract_lane(value, 0) +
    f32x4.extract_lane(value, 1) +
    (f32x4.extract_lane(value, 2) + f32x4.extract_lane(value, 3))
  );
}

/** `bytes` must be a multiple of 4. */
export function clear(to: usize, bytes: usize): void {
  memory.fill(to, 0, bytes);
}

/** Four sums that were taken in float64, two and two. */
// @ts-ignore: decorator
@inline
export function roundedSums(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}
