import type { EngineNetwork } from '../engine/engine';
import type { FinishedStep } from './session';

/** Shares of the step at which the loss is computed for the parabola: 0 is before the step, 1 is where it landed. */
export const SHARES = [-0.5, 0, 0.5, 1, 1.5, 2] as const;
/** Where the parabola puts its minimum beyond them, but not farther than this, the loss is computed there too. */
const FARTHEST = 8;

export interface LossAtShare {
  /** a of W + a dW, where W is before the step and dW the whole update. */
  readonly share: number;
  /** Mean over the minibatch. */
  readonly loss: number;
}

/** What a step did to the loss of its own minibatch, under its own dropout masks. */
export interface StepEffect {
  readonly step: number;
  readonly examples: number;
  readonly points: readonly LossAtShare[];
  /**
   * g . dW for each layer that has parameters, weight and bias together: the change of the loss that the slope promises
   * for the whole step, to first order.
   */
  readonly slopes: readonly { readonly layer: string; readonly slope: number }[];
  /** g . dW over all parameters: the sum of `slopes`. */
  readonly slope: number;
  /** dW . H . dW: of the parabola through (0, loss before) with that slope which fits the points up to twice the step best. */
  readonly curvature: number;
}

/**
 * Measures the loss along the last step, on a network of its own: nothing of the run is touched. Everything is copied when it
 * begins, so training may go on between two points; it yields before each.
 *
 * @param scratch a second network of the same plan; its parameters are overwritten
 */
export function* measureStep(
  scratch: EngineNetwork,
  finished: FinishedStep,
): Generator<undefined, StepEffect> {
  const { plan } = scratch;
  const { step, images, labels, context } = finished;
  const { slope, slopes } = slopesOf(scratch, finished);
  const kept = finished.parameters.map(({ parameter, weightBefore, weightAfter, update }) => ({
    parameter,
    before: weightBefore.slice(),
    after: weightAfter.slice(),
    update: update.slice(),
    moved: new Float32Array(update.length),
  }));
  const points: LossAtShare[] = [];
  let curvature = Number.NaN;
  const pass = scratch.createPass();
  try {
    const shares: number[] = [...SHARES];
    // More of them come when the parabola is known.
    for (const share of shares) {
      yield undefined;
      for (const { parameter, before, after, update, moved } of kept) {
        // W + 1 dW may differ from the weight after the step by a rounding, and the loss there must be the real one.
        if (share === 1) scratch.writeParameter(parameter, after);
        else {
          for (let i = 0; i < moved.length; i += 1) moved[i] = before[i]! + share * update[i]!;
          scratch.writeParameter(parameter, moved);
        }
      }
      pass.load(images, labels, labels.length);
      for (const layer of plan.layers) pass.forward(layer, context);
      points.push({ share, loss: pass.loss().loss });
      if (points.length === SHARES.length) {
        curvature = fitCurvature(points, slope);
        shares.push(...sharesBeyond(-slope / curvature));
      }
    }
  } finally {
    pass.dispose();
  }
  return { step, examples: labels.length, points, slopes, slope, curvature };
}

/** g . dW, summed in float64. */
function slopesOf(
  { plan }: EngineNetwork,
  { parameters }: FinishedStep,
): Pick<StepEffect, 'slope' | 'slopes'> {
  const slopes = plan.layers
    .filter((layer) => layer.parameters.length > 0)
    .map((layer) => {
      let slope = 0;
      for (const { parameter, gradient, update } of parameters) {
        if (!layer.parameters.includes(parameter)) continue;
        for (let i = 0; i < update.length; i += 1) slope += gradient[i]! * update[i]!;
      }
      return { layer: layer.spec.name, slope };
    });
  return { slopes, slope: slopes.reduce((sum, layer) => sum + layer.slope, 0) };
}

/** On the way to a minimum that lies beyond SHARES, and at it. */
function sharesBeyond(minimum: number): number[] {
  const last = Math.max(...SHARES);
  return minimum > last && minimum <= FARTHEST ? [(last + minimum) / 2, minimum] : [];
}

/**
 * Second derivative of the parabola c + slope a + curvature a^2 / 2 through the point at share 0 that lies closest to all
 * others, by least squares. NaN where a loss is no finite number.
 */
export function fitCurvature(points: readonly LossAtShare[], slope: number): number {
  const start = points.find(({ share }) => share === 0)?.loss ?? Number.NaN;
  let numerator = 0;
  let denominator = 0;
  for (const { share, loss } of points) {
    numerator += (loss - start - slope * share) * share ** 2;
    denominator += share ** 4;
  }
  return Number.isFinite(numerator) ? (2 * numerator) / denominator : Number.NaN;
}
