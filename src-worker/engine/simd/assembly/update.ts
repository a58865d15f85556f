/**
 * Updates, and a look at whole tensors. Every product, sum, quotient and root of an update is rounded by itself, in both
 * builds: bit for bit what ../../kernels/optimisers.ts does, which has the formulas. Parameters are filled up to whole
 * vectors, so nothing else lies behind their end.
 */

// @ts-ignore: decorator
@inline
function decayed(gradient: v128, decay: v128, weight: v128, decays: bool): v128 {
  return decays ? f32x4.add(gradient, f32x4.mul(decay, weight)) : gradient;
}

/** weightBefore, velocityBefore: what the update began with; difference: weight - weightBefore. */
export function updateSgd(
  weight: usize, gradient: usize, velocity: usize, count: i32,
  weightBefore: usize, velocityBefore: usize, difference: usize,
  step: f32, momentum: f32, weightDecay: f32, nesterov: bool,
): void {
  const rate = f32x4.splat(step), keep = f32x4.splat(momentum), decay = f32x4.splat(weightDecay);
  for (let i = 0; i < count; i += 4) {
    const w = v128.load(weight);
    const g = decayed(v128.load(gradient), decay, w, weightDecay != 0);
    const before = v128.load(velocity);
    const v = momentum == 0 ? g : f32x4.add(f32x4.mul(keep, before), g);
    v128.store(weightBefore, w);
    v128.store(velocityBefore, before);
    v128.store(velocity, v);
    const direction = nesterov ? f32x4.add(g, f32x4.mul(keep, v)) : v;
    const after = f32x4.add(f32x4.mul(rate, direction), w);
    v128.store(weight, after);
    v128.store(difference, f32x4.sub(after, w));
    weight += 16;
    gradient += 16;
    velocity += 16;
    weightBefore += 16;
    velocityBefore += 16;
    difference += 16;
  }
}

/** Constants as kernels/optimisers.ts computes them: add1 = 1 - beta1, step and correction of this very update. */
export function updateAdam(
  weight: usize, gradient: usize, firstMoment: usize, secondMoment: usize, count: i32,
  weightBefore: usize, firstBefore: usize, secondBefore: usize, difference: usize,
  weightDecay: f32, beta1: f32, add1: f32, beta2: f32, add2: f32, step: f32, correction: f32, epsilon: f32,
): void {
  const decay = f32x4.splat(weightDecay);
  const keepFirst = f32x4.splat(beta1), addFirst = f32x4.splat(add1);
  const keepSecond = f32x4.splat(beta2), addSecond = f32x4.splat(add2);
  const rate = f32x4.splat(step), root = f32x4.splat(correction), small = f32x4.splat(epsilon);
  for (let i = 0; i < count; i += 4) {
    const w = v128.load(weight);
    const g = decayed(v128.load(gradient), decay, w, weightDecay != 0);
    const first = v128.load(firstMoment), second = v128.load(secondMoment);
    v128.store(weightBefore, w);
    v128.store(firstBefore, first);
    v128.store(secondBefore, second);
    const m = f32x4.add(f32x4.mul(keepFirst, first), f32x4.mul(addFirst, g));
    const v = f32x4.add(f32x4.mul(keepSecond, second), f32x4.mul(f32x4.mul(addSecond, g), g));
    v128.store(firstMoment, m);
    v128.store(secondMoment, v);
    const scale = f32x4.add(f32x4.div(f32x4.sqrt(v), root), small);
    const after = f32x4.add(f32x4.div(f32x4.mul(rate, m), scale), w);
    v128.store(weight, after);
    v128.store(difference, f32x4.sub(after, w));
    weight += 16;
    gradient += 16;
    firstMoment += 16;
    secondMoment += 16;
    weightBefore += 16;
    firstBefore += 16;
    secondBefore += 16;
    difference += 16;
  }
}

/**
 * Largest |x|; NaN if there is one. The bits of a float32 without its sign, read as an integer, are in the order of its
 * magnitude, infinity and NaN behind all numbers.
 */
export function largestMagnitude(from: usize, count: i32): f32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let a = i32x4.splat(0), b = a;
  let left = count;
  for (; left >= 8; left -= 8, from += 32) {
    a = i32x4.max_u(a, v128.and(v128.load(from), magnitude));
    b = i32x4.max_u(b, v128.and(v128.load(from, 16), magnitude));
  }
  a = i32x4.max_u(a, b);
  for (; left > 0; left--, from += 4) a = i32x4.max_u(a, v128.and(v128.load_splat<f32>(from), magnitude));
  a = i32x4.max_u(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  a = i32x4.max_u(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
  return f32x4.extract_lane(a, 0);
}

/** In float64, where no square of a float32 overflows: finite exactly when every value is. */
export function sumOfSquares(from: usize, count: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, e = a;
  let left = count;
  for (; left >= 8; left -= 8, from += 32) {
    let low = f64x2.promote_low_f32x4(v128.load_zero<f64>(from));
    let high = f64x2.promote_low_f32x4(v128.load_zero<f64>(from, 8));
    a = f64x2.add(a, f64x2.mul(low, low));
    b = f64x2.add(b, f64x2.mul(high, high));
    low = f64x2.promote_low_f32x4(v128.load_zero<f64>(from, 16));
    high = f64x2.promote_low_f32x4(v128.load_zero<f64>(from, 24));
    c = f64x2.add(c, f64x2.mul(low, low));
    e = f64x2.add(e, f64x2.mul(high, high));
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, e));
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; left > 0; left--, from += 4) {
    const value = <f64>load<f32>(from);
    sum += value * value;
  }
  return sum;
}
