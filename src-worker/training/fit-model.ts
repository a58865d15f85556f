import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { LayerPlan, NetworkPlan } from '../../src-shared/model/network';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { TensorView } from '../engine/engine';
import type { FitStep } from './fit-step';

/**
 * A tfjs-layers model of the network: one layer for each of the plan, computing by the engine, with the engine's own
 * variables as its trainable weights. It holds no tensor, so it needs no dispose.
 *
 * Shapes shown are the plan's; what passes through is in the engine's layout.
 */
export function createFitModel(plan: NetworkPlan, view: TensorView, step: FitStep): tfl.LayersModel {
  // tfjs-layers remembers the layers of the last hundred models, and these hold on to their sessions.
  tf.env().set('TOPOLOGICAL_SORT_CACHE_MAX_ENTRIES', 1);
  const input = tfl.input({ shape: [...plan.spec.input] });
  let output = input;
  for (const layer of plan.layers) {
    output = new EngineLayer(layer, view, step).apply(output) as tfl.SymbolicTensor;
  }
  return tfl.model({ inputs: input, outputs: output });
}

class EngineLayer extends tfl.layers.Layer {
  static readonly className = 'EngineLayer';
  readonly #plan: LayerPlan;
  readonly #view: TensorView;
  readonly #step: FitStep;

  constructor(plan: LayerPlan, view: TensorView, step: FitStep) {
    super({ name: plan.spec.name });
    this.#plan = plan;
    this.#view = view;
    this.#step = step;
  }

  override build(): void {
    this.trainableWeights = this.#plan.parameters.map(
      (parameter) => new EngineWeight(this.#view.variable(parameter), parameter.name),
    );
    this.built = true;
  }

  override computeOutputShape(): tfl.Shape {
    return [null, ...this.#plan.outputShape];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (x === undefined) throw new GradscopeError('internal', `${this.name} was called without an input.`);
    return this.#step.layer(this.#plan, x);
  }
}

/**
 * The engine's variable as tfjs-layers wants a weight to be. A LayerVariable makes a variable of its own; it is let go at once,
 * and the engine's is read instead. Only the engine writes it.
 */
class EngineWeight extends tfl.LayerVariable {
  readonly #variable: tf.Variable;

  constructor(variable: tf.Variable, name: string) {
    super(variable, 'float32', name);
    this.val.dispose();
    this.#variable = variable;
  }

  override read(): tf.Tensor {
    return this.#variable;
  }

  /** The engine frees it. */
  override dispose(): void {
    // Nothing of its own is left.
  }
}
