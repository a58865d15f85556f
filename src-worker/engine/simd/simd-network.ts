import * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../../src-shared/model/network';
import type { StateSlot } from '../../../src-shared/model/optimiser';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { EngineNetwork, OptimiserSettings, ParameterTensor, Pass, TensorView } from '../engine';
import type { Arena, Block } from './arena';
import type { Kernels } from './kernels';
import { SimdPass } from './simd-pass';
import type { WorkerPool } from './worker-pool';

/** What a parameter is made of, all in PyTorch's layout, so nothing is reordered on the way in or out. */
export interface ParameterBlocks {
  readonly weight: Block;
  readonly gradient: Block;
  /** What the optimiser remembers, from its first update on. */
  readonly slots: Map<StateSlot, Block>;
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
        { weight: arena.allocate(size), gradient: arena.allocate(size), slots: new Map() },
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

  readParameter(parameter: ParameterPlan, what: ParameterTensor, target: Float32Array): void {
    checkSize(parameter, target);
    const { weight, gradient, slots } = this.#blocks(parameter);
    const block = what === 'weight' ? weight : what === 'gradient' ? gradient : slots.get(what);
    if (block === undefined) target.fill(0);
    else target.set(block.floats);
  }

  writeState(parameter: ParameterPlan, slot: StateSlot, values: Float32Array): void {
    checkSize(parameter, values);
    this.#slot(parameter, slot).floats.set(values);
  }

  zeroGradients(): void {
    for (const { gradient } of this.#parameters.values()) gradient.floats.fill(0);
  }

  update(parameter: ParameterPlan, settings: OptimiserSettings, count: number): void {
    const { weight, gradient } = this.#blocks(parameter);
    const { kernels } = this.#machine;
    const both = [weight.address, gradient.address] as const;
    const { size } = parameter;
    const { learningRate, weightDecay } = settings;
    if (settings.kind === 'sgd') {
      const { address } = this.#slot(parameter, 'momentum');
      const { momentum, nesterov } = settings;
      kernels.updateSgd(...both, address, size, -learningRate, momentum, weightDecay, nesterov ? 1 : 0);
    } else {
      const { beta1, beta2, epsilon } = settings;
      const first = this.#slot(parameter, 'firstMoment').address;
      const second = this.#slot(parameter, 'secondMoment').address;
      const step = -learningRate / (1 - beta1 ** count);
      const correction = Math.sqrt(1 - beta2 ** count);
      const keeps = [beta1, 1 - beta1, beta2, 1 - beta2] as const;
      kernels.updateAdam(...both, first, second, size, weightDecay, ...keeps, step, correction, epsilon);
    }
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
    for (const { weight, gradient, slots } of this.#parameters.values()) {
      for (const block of [weight, gradient, ...slots.values()]) this.#machine.arena.free(block);
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

  #slot(parameter: ParameterPlan, slot: StateSlot): Block {
    const { slots } = this.#blocks(parameter);
    const block = slots.get(slot) ?? this.#machine.arena.allocate(parameter.size);
    slots.set(slot, block);
    return block;
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
