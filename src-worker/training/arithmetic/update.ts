import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import type { OptimiserSpec, StateSlot } from '../../../src-shared/model/optimiser';
import type { UpdateParts } from '../mirrors';

/**
 * One value's part in an update, by the formulas of src-shared/model/optimiser.ts in float64.
 * @param after what the optimiser remembers of the parameter after the update
 * @param index flat, in PyTorch's layout
 */
export function explainUpdate(
  optimiser: OptimiserSpec,
  parts: UpdateParts,
  after: (slot: StateSlot) => Float32Array,
  index: number,
): ExplanationOf<'update'> {
  const gradient = parts.gradient[index]!;
  const weightBefore = parts.weightBefore[index]!;
  const decayed = optimiser.weightDecay === 0 ? gradient : gradient + optimiser.weightDecay * weightBefore;
  const state = [...parts.stateBefore].map(([slot, values]) => {
    const before = values[index]!;
    return { slot, before, sum: nextState(optimiser, slot, before, decayed), after: after(slot)[index]! };
  });
  const direction = directionOf(
    optimiser,
    decayed,
    state.map((each) => each.after),
    parts.count,
  );
  return {
    form: 'update',
    optimiser,
    count: parts.count,
    gradient,
    decayed,
    state,
    direction,
    weightBefore,
    weightSum: weightBefore - optimiser.learningRate * direction,
    weightAfter: parts.weightAfter[index]!,
    update: parts.update[index]!,
    step: parts.step,
  };
}

function nextState(optimiser: OptimiserSpec, slot: StateSlot, before: number, decayed: number): number {
  if (optimiser.kind === 'sgd') {
    return optimiser.momentum === 0 ? decayed : optimiser.momentum * before + decayed;
  }
  const { beta1, beta2 } = optimiser;
  return slot === 'firstMoment'
    ? beta1 * before + (1 - beta1) * decayed
    : beta2 * before + (1 - beta2) * decayed ** 2;
}

/** What the learning rate is multiplied by. @param state after the update */
function directionOf(
  optimiser: OptimiserSpec,
  decayed: number,
  state: readonly number[],
  count: number,
): number {
  if (optimiser.kind === 'sgd') {
    const velocity = state[0]!;
    return optimiser.nesterov ? decayed + optimiser.momentum * velocity : velocity;
  }
  const { beta1, beta2, epsilon } = optimiser;
  const [first, second] = [state[0]! / (1 - beta1 ** count), state[1]! / (1 - beta2 ** count)];
  return first / (Math.sqrt(second) + epsilon);
}
