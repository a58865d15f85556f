/**
 * Updates, and looks at whole tensors. Every product and every sum of an update is rounded by itself, in both builds: the
 * formulas are those of torch.optim, bit for bit what the other engines do.
 */

/** g += weightDecay w (0: as it is); v = momentum v + g; step = g + momentum v (Nesterov) or v; w = w - learningRate step. */
export function updateSgd(
  weight: usize, gradient: usize, velocity: usize, count: i32,
  learningRate: f32, momentum: f32, weightDecay: f32, nesterov: bool,
): void {
  const rate = f32x4.splat(-learningRate), keep = f32x4.splat(momentum), decay = f32x4.splat(weightDecay);
  const decays = weightDecay != 0;
  // Blocks are filled up to whole vectors, so nothing else lies there.
  for (let i = 0; i < count; i += 4) {
    const w = v128.load(weight);
    let g = v128.load(gradient);
    if (decays) g = f32x4.add(g, f32x4.mul(decay, w));
    const v = f32x4.add(f32x4.mul(keep, v128.load(velocity)), g);
    v128.store(velocity, v);
    const step = nesterov ? f32x4.add(g, f32x4.mul(keep, v)) : v;
    v128.store(weight, f32x4.add(f32x4.mul(rate, step), w));
    weight += 16;
    gradient += 16;
    velocity += 16;
  }
}

/** Largest |x|; NaN if there is one. */
export function largestMagnitude(from: usize, count: i32): f32 {
  let largest = f32x4.splat(0);
  let left = count;
  for (; left >= 4; left -= 4, from += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(from)));
  for (; left > 0; left--, from += 4) largest = f32x4.max(largest, f32x4.abs(f32x4.splat(load<f32>(from))));
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}
