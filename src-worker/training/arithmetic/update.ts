import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import type { OptimiserSettings } from '../../engine/engine';
import type { UpdateParts } from '../mirrors';

/**
 * One value's part in an update by SGD with momentum.
 * @param momentum after the update
 * @param index flat, in PyTorch's layout
 */
export function explainUpdate(
  { learningRate, momentum: keep }: OptimiserSettings,
  parts: UpdateParts,
  momentum: Float32Array,
  index: number,
): ExplanationOf<'update'> {
  const velocityBefore = parts.momentumBefore[index]!;
  const gradient = parts.gradient[index]!;
  const velocityAfter = momentum[index]!;
  const weightBefore = parts.weightBefore[index]!;
  return {
    form: 'update',
    momentum: keep,
    learningRate,
    velocityBefore,
    gradient,
    velocitySum: keep * velocityBefore + gradient,
    velocityAfter,
    weightBefore,
    weightSum: weightBefore - learningRate * velocityAfter,
    weightAfter: parts.weightAfter[index]!,
    update: parts.update[index]!,
    step: parts.step,
  };
}
