import * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { EngineNetwork, OptimiserSettings, Pass, TensorView } from '../engine';
import type { Arena, Block } from './arena';
import type { Kernels } from './kernels';
import { SimdPass } from './simd-pass';
import type { WorkerPool } from './worker-pool';

/** What a parameter is made of, all in PyTorch's layout, so nothing is reordered on the way in or out. */
export interface ParameterBlocks {
  readonly weight: Block;
  readonly gradient: Block;
  readonly momentum: Block;
}

/** What networks and passes of the engine share. */
export interface SimdMachine {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly pool: WorkerPool;
}

interface Carriers {
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
}

/** A network in the engine's own memory. fit() gets tfjs tensors on that very memory. */
export class SimdNetwork implements EngineNetwork {
  readonly plan: NetworkPlan;
  readonly tensors: TensorView;
  readonly #machine: SimdMachine;
  readonly #parameters: ReadonlyMap<string, ParameterBlocks>;
  readonly #carriers = new Map<string, Carriers>();
  readonly #passes = new Set<SimdPass>();
  readonly #onDispose: (network: SimdNetwork) => void;
  /** Counts the changes of any weight: a pass knows by it whether what it derived from them still holds. */
  #version = 0;
  #disposed = false;

  constructor(plan: NetworkPlan, machine: SimdMachine, onDispose: (network: SimdNetwork) => void) {
    this.plan = plan;
    this.#machine = machine;
    this.#onDispose = onDispose;
    const { arena } = machine;
    this.#parameters = new Map(
      plan.parameters.map(({ name, size }) => [
        name,
        { weight: arena.allocate(size), gradient: arena.allocate(size), momentum: arena.allocate(size) },
      ]),
    );
    this.tensors = {
      backend: 'cpu',
      variable: (parameter) => this.#carriersOf(parameter).variable,
      gradient: (parameter) => this.#carriersOf(parameter).gradient,
    };
  }

  get version(): number {
    return this.#version;
  }

  writeParameter(parameter: ParameterPlan, values: Float32Array): void {
    checkSize(parameter, values);
    this.#blocks(parameter).weight.floats.set(values);
    this.#version++;
  }

  readParameter(
    parameter: ParameterPlan,
    what: 'weight' | 'gradient' | 'momentum',
    target: Float32Array,
  ): void {
    checkSize(parameter, target);
    target.set(this.#blocks(parameter)[what].floats);
  }

  writeMomentum(parameter: ParameterPlan, values: Float32Array): void {
    checkSize(parameter, values);
    this.#blocks(parameter).momentum.floats.set(values);
  }

  zeroGradients(): void {
    for (const { gradient } of this.#parameters.values()) gradient.floats.fill(0);
  }

  update(parameter: ParameterPlan, { learningRate, momentum }: OptimiserSettings): void {
    const blocks = this.#blocks(parameter);
    this.#machine.kernels.updateSgd(
      blocks.weight.address,
      blocks.gradient.address,
      blocks.momentum.address,
      parameter.size,
      learningRate,
      momentum,
      0,
      0,
    );
    this.#version++;
  }

  createPass(): Pass {
    if (this.#disposed) throw new GradscopeError('internal', 'A disposed network makes no more passes.');
    const pass = new SimdPass(this, this.#machine, (gone) => {
      this.#passes.delete(gone);
    });
    this.#passes.add(pass);
    return pass;
  }

  /** Weight and bias of a layer that has them. */
  parametersOf(layer: LayerPlan): [weight: ParameterBlocks, bias: ParameterBlocks] {
    const [weight, bias] = layer.parameters;
    if (weight === undefined || bias === undefined) {
      throw new GradscopeError('internal', `Layer ${layer.spec.name} has no weight and bias.`);
    }
    return [this.#blocks(weight), this.#blocks(bias)];
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const pass of this.#passes) pass.dispose();
    for (const { variable, gradient } of this.#carriers.values()) {
      variable.dispose();
      gradient.dispose();
    }
    for (const { weight, gradient, momentum } of this.#parameters.values()) {
      for (const block of [weight, gradient, momentum]) this.#machine.arena.free(block);
    }
    this.#onDispose(this);
  }

  #blocks(parameter: ParameterPlan): ParameterBlocks {
    const blocks = this.#parameters.get(parameter.name);
    if (blocks === undefined || this.#disposed) {
      const why = this.#disposed ? 'the network is disposed' : 'the network has no such parameter';
      throw new GradscopeError('internal', `${parameter.name} cannot be reached: ${why}.`);
    }
    return blocks;
  }

  #carriersOf(parameter: ParameterPlan): Carriers {
    const { weight, gradient } = this.#blocks(parameter);
    const known = this.#carriers.get(parameter.name);
    if (known !== undefined) return known;
    const shape = [...parameter.shape];
    const carriers = {
      variable: tf.tidy(() => tf.variable(tf.tensor(weight.floats, shape))),
      gradient: tf.keep(tf.tensor(gradient.floats, shape)),
    };
    this.#carriers.set(parameter.name, carriers);
    return carriers;
  }
}

function checkSize(parameter: ParameterPlan, values: Float32Array): void {
  if (values.length !== parameter.size) {
    throw new GradscopeError(
      'internal',
      `${parameter.name} has ${parameter.size} values, but ${values.length} were given.`,
    );
  }
}
