import type { LayerSpecOf } from '../../../src-shared/model/network';

export type ActivationSpec = LayerSpecOf<'relu' | 'leakyRelu' | 'sigmoid' | 'tanh'>;

/** What an activation makes of x, in float64; `factor` where that is a multiple of x. */
export function activate(
  spec: ActivationSpec,
  x: number,
): { readonly sum: number; readonly factor: number | null } {
  switch (spec.kind) {
    case 'relu':
      // NaN stays NaN, and infinity times 0 is not meant.
      return x <= 0 ? { sum: 0, factor: 0 } : { sum: x, factor: 1 };
    case 'leakyRelu': {
      const slope = Math.fround(spec.slope);
      return x > 0 ? { sum: x, factor: 1 } : { sum: slope * x, factor: slope };
    }
    case 'sigmoid':
      return { sum: 1 / (1 + Math.exp(-x)), factor: null };
    case 'tanh':
      return { sum: Math.tanh(x), factor: null };
  }
}

/**
 * What comes back of an error, from the output y there. `absolute` is the sum of the absolute terms, those of the factor
 * too: near 1 a float32 has few digits of 1 - y, so what is left of error - error y^2 is as uncertain as its terms are large.
 */
export function activateBackward(
  spec: ActivationSpec,
  error: number,
  y: number,
): { readonly sum: number; readonly factor: number; readonly absolute: number } {
  const withFactor = (factor: number): ReturnType<typeof activateBackward> => ({
    sum: factor * error,
    factor,
    absolute: Math.abs(factor * error),
  });
  switch (spec.kind) {
    case 'relu':
      return y <= 0 ? { sum: 0, factor: 0, absolute: 0 } : withFactor(1);
    case 'leakyRelu':
      return withFactor(y > 0 ? 1 : Math.fround(spec.slope));
    case 'sigmoid':
      return {
        sum: error * (1 - y) * y,
        factor: y * (1 - y),
        absolute: Math.abs(error * y) * (1 + Math.abs(y)),
      };
    case 'tanh':
      return { sum: error * (1 - y * y), factor: 1 - y * y, absolute: Math.abs(error) * (1 + y * y) };
  }
}
