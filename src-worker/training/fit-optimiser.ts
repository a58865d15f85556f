import * as tf from '@tensorflow/tfjs-core';
import type { OptimiserSettings } from '../engine/engine';

type GivenGradients = Parameters<tf.Optimizer['applyGradients']>[0];

/** A gradient, under the name of the variable that it is of. */
export type NamedGradient = Extract<GivenGradients, unknown[]>[number];

/**
 * A tfjs optimiser, driven by fit() as any other, that has the engine update the weights: one kernel a parameter, the same
 * that the imperative loop calls. So both loops give the same bits, whatever the optimiser, and what the optimiser remembers
 * is in one place. `apply` is called in the moment in which tfjs hands over the gradients.
 */
export class EngineOptimiser extends tf.Optimizer {
  static readonly className = 'EngineOptimiser';
  readonly #settings: OptimiserSettings;
  readonly #apply: (gradients: readonly NamedGradient[]) => void;

  constructor(settings: OptimiserSettings, apply: (gradients: readonly NamedGradient[]) => void) {
    super();
    this.#settings = settings;
    this.#apply = apply;
  }

  override applyGradients(gradients: GivenGradients): void {
    this.#apply(
      Array.isArray(gradients)
        ? gradients
        : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...this.#settings };
  }
}
