import type { OptimiserSpecOf } from '../../../src-shared/model/optimiser';

/**
 * The update of one parameter, value by value, in place (see src-shared/model/optimiser.ts for the formulas). Constants are
 * computed in float64 and rounded to float32 once; after that every product, sum, quotient and root is rounded to float32 by
 * itself, in the order written here, with nothing fused: every engine that does so gives the same bits.
 */

/** d = g + weightDecay w; v = momentum v + d; w = w + (-learningRate) v, or with Nesterov w + (-learningRate) (d + momentum v). */
export function updateSgd(
  settings: OptimiserSpecOf<'sgd'>,
  weight: Float32Array,
  gradient: Float32Array,
  momentum: Float32Array,
): void {
  const { nesterov } = settings;
  const f = Math.fround;
  const keep = f(settings.momentum);
  const decay = f(settings.weightDecay);
  const step = f(-settings.learningRate);
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]!;
    const d = decay === 0 ? gradient[i]! : f(gradient[i]! + f(decay * w));
    // A velocity that was infinite is gone once there is no momentum: 0 times it would be NaN.
    const v = keep === 0 ? d : f(f(keep * momentum[i]!) + d);
    momentum[i] = v;
    const direction = nesterov ? f(d + f(keep * v)) : v;
    weight[i] = f(step * direction) + w;
  }
}

/**
 * d = g + weightDecay w; m = beta1 m + (1 - beta1) d; v = beta2 v + ((1 - beta2) d) d;
 * w = w + ((-learningRate / (1 - beta1^t)) m) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 * @param count t: how many updates there were since m and v were zero, with this one
 */
export function updateAdam(
  settings: OptimiserSpecOf<'adam'>,
  count: number,
  weight: Float32Array,
  gradient: Float32Array,
  firstMoment: Float32Array,
  secondMoment: Float32Array,
): void {
  const { beta1, beta2, learningRate } = settings;
  const f = Math.fround;
  const decay = f(settings.weightDecay);
  const [keep1, add1] = [f(beta1), f(1 - beta1)];
  const [keep2, add2] = [f(beta2), f(1 - beta2)];
  const step = f(-learningRate / (1 - beta1 ** count));
  const correction = f(Math.sqrt(1 - beta2 ** count));
  const epsilon = f(settings.epsilon);
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]!;
    const d = decay === 0 ? gradient[i]! : f(gradient[i]! + f(decay * w));
    const m = f(f(keep1 * firstMoment[i]!) + f(add1 * d));
    const v = f(f(keep2 * secondMoment[i]!) + f(f(add2 * d) * d));
    firstMoment[i] = m;
    secondMoment[i] = v;
    const scale = f(f(f(Math.sqrt(v)) / correction) + epsilon);
    weight[i] = f(f(step * m) / scale) + w;
  }
}
