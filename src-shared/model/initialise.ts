import { fillWords, toUnitInterval } from '../tensor/random';
import type { ParameterPlan } from './network';
import type { Recipe } from './recipe';

/**
 * Initial values of a parameter: a pure function of (kind, parameter, seed), in PyTorch's layout.
 *
 * - `torchDefault`: weights and biases U(-1/sqrt(fanIn), 1/sqrt(fanIn)). PyTorch's reset_parameters of Conv2d and Linear:
 *   kaiming_uniform_ with a = sqrt(5) comes to the same bound for the weight.
 * - `glorotUniform`: weights U(-a, a), a = sqrt(6 / (fanIn + fanOut)), biases 0. X. Glorot, Y. Bengio, "Understanding the
 *   difficulty of training deep feedforward neural networks", AISTATS 2010; Keras's default.
 */
export function initialValues(
  kind: Recipe['initialisation'],
  parameter: ParameterPlan,
  seed: number,
): Float32Array {
  const values = new Float32Array(parameter.size);
  const bound = boundOf(kind, parameter);
  if (bound === 0) return values;
  const words = new Uint32Array(parameter.size);
  const purpose = parameter.role === 'weight' ? 'weightInitialisation' : 'biasInitialisation';
  fillWords(words, { seed, purpose, step: 0, layer: parameter.layerIndex });
  for (let i = 0; i < values.length; i++) values[i] = (2 * toUnitInterval(words[i]!) - 1) * bound;
  return values;
}

function boundOf(kind: Recipe['initialisation'], parameter: ParameterPlan): number {
  switch (kind) {
    case 'torchDefault':
      return 1 / Math.sqrt(parameter.fanIn);
    case 'glorotUniform':
      return parameter.role === 'weight' ? Math.sqrt(6 / (parameter.fanIn + parameter.fanOut)) : 0;
  }
}
