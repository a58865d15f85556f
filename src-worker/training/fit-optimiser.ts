import * as tf from '@tensorflow/tfjs-core';
import type { OptimiserSettings } from '../engine/engine';
import type { Session } from './session';

type GivenGradients = Parameters<tf.MomentumOptimizer['applyGradients']>[0];

/** A gradient, under the name of the variable that it is of. */
export type NamedGradient = Extract<GivenGradients, unknown[]>[number];

/**
 * tfjs's momentum optimiser (v = m*v + g; w = w - learningRate*v) with a tap: whoever is given sees the gradients that
 * it really got, and applies them when they like.
 */
export class TappedMomentum extends tf.MomentumOptimizer {
  readonly #tap: (gradients: readonly NamedGradient[], apply: () => void) => void;

  constructor(
    { learningRate, momentum }: OptimiserSettings,
    tap: (gradients: readonly NamedGradient[], apply: () => void) => void,
  ) {
    super(learningRate, momentum);
    this.#tap = tap;
  }

  override applyGradients(gradients: GivenGradients): void {
    const list = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    this.#tap(list, () => {
      super.applyGradients(gradients);
    });
  }

  /** tfjs's own dispose forgets the learning rate. */
  override dispose(): void {
    super.dispose();
    this.c.dispose();
  }
}

/** Network's momentum -> accumulators of the optimiser. */
export async function carryMomentumIn(session: Session, optimiser: tf.Optimizer): Promise<void> {
  const { plan, network } = session;
  const replaced = await optimiser.getWeights();
  const iterations = { name: 'iter', tensor: tf.scalar(session.step, 'int32') };
  const accumulators = plan.parameters.map((parameter) => {
    const values = new Float32Array(parameter.size);
    network.readParameter(parameter, 'momentum', values);
    return { name: `${parameter.name}/momentum`, tensor: tf.tensor(values, [...parameter.shape]) };
  });
  await optimiser.setWeights([iterations, ...accumulators]);
  // setWeights makes variables of its own and lets go of the ones before without freeing them.
  tf.dispose([iterations, ...accumulators, ...replaced].map(({ tensor }) => tensor));
}

/** Accumulators of the optimiser -> network's momentum. */
export async function carryMomentumOut(session: Session, optimiser: tf.Optimizer): Promise<void> {
  const [iterations, ...accumulators] = await optimiser.getWeights();
  iterations?.tensor.dispose();
  for (const [i, parameter] of session.plan.parameters.entries()) {
    session.network.writeMomentum(parameter, accumulators[i]!.tensor.dataSync<'float32'>());
  }
}
