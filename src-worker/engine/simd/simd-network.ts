import * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../../src-shared/model/network';
import { stateSlots, type StateSlot } from '../../../src-shared/model/optimiser';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { EngineNetwork, OptimiserSettings, ParameterTensor, Pass, TensorView } from '../engine';
import type { Block } from './arena';
import type { ParameterBlocks, PassOwner, SimdMachine, UpdateBlocks } from './machine';
import { SimdPass } from './simd-pass';

interface Carriers {
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
}

/** A network in the engine's own memory. fit() gets tfjs tensors on that very memory. */
export class SimdNetwork implements EngineNetwork, PassOwner {
  readonly plan: NetworkPlan;
  readonly tensors: TensorView;
  readonly #machine: SimdMachine;
  readonly #parameters: ReadonlyMap<string, ParameterBlocks>;
  readonly #carriers = new Map<string, Carriers>();
  readonly #passes = new Set<SimdPass>();
  readonly #onDispose: (network: SimdNetwork) => void;
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
        {
          weight: arena.allocate(size),
          gradient: arena.allocate(size),
          slots: new Map(),
          lastUpdate: null,
        },
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
    const { weight, gradient, slots, lastUpdate } = this.#blocks(parameter);
    const own = { weight, gradient, update: lastUpdate?.update };
    copyOrClear(what in own ? own[what as keyof typeof own] : slots.get(what as StateSlot), target);
  }

  readBefore(parameter: ParameterPlan, what: 'weight' | StateSlot, target: Float32Array): void {
    checkSize(parameter, target);
    const { lastUpdate } = this.#blocks(parameter);
    copyOrClear(what === 'weight' ? lastUpdate?.weight : lastUpdate?.slots.get(what), target);
  }

  norm(parameter: ParameterPlan, of: 'weight' | 'gradient' | 'update'): number {
    const { weight, gradient, lastUpdate } = this.#blocks(parameter);
    const block = of === 'weight' ? weight : of === 'gradient' ? gradient : lastUpdate?.update;
    if (block === undefined) return 0;
    return Math.sqrt(this.#machine.kernels.sumOfSquares(block.address, parameter.size));
  }

  writeState(parameter: ParameterPlan, slot: StateSlot, values: Float32Array): void {
    checkSize(parameter, values);
    this.#slot(parameter, slot).floats.set(values);
  }

  zeroGradients(): void {
    for (const { gradient } of this.#parameters.values()) {
      this.#machine.kernels.clear(gradient.address, gradient.floats.byteLength);
    }
  }

  update(parameter: ParameterPlan, settings: OptimiserSettings, count: number): void {
    const { kernels } = this.#machine;
    const { weight, gradient, slots } = this.#blocks(parameter);
    const before = this.#lastUpdate(parameter, settings);
    const { learningRate, weightDecay } = settings;
    if (settings.kind === 'sgd') {
      kernels.updateSgd(
        weight.address,
        gradient.address,
        addressOf(slots, 'momentum'),
        parameter.size,
        before.weight.address,
        addressOf(before.slots, 'momentum'),
        before.update.address,
        -learningRate,
        settings.momentum,
        weightDecay,
        settings.nesterov ? 1 : 0,
      );
    } else {
      const { beta1, beta2, epsilon } = settings;
      kernels.updateAdam(
        weight.address,
        gradient.address,
        addressOf(slots, 'firstMoment'),
        addressOf(slots, 'secondMoment'),
        parameter.size,
        before.weight.address,
        addressOf(before.slots, 'firstMoment'),
        addressOf(before.slots, 'secondMoment'),
        before.update.address,
        weightDecay,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        -learningRate / (1 - beta1 ** count),
        Math.sqrt(1 - beta2 ** count),
        epsilon,
      );
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
    for (const { weight, gradient, slots, lastUpdate } of this.#parameters.values()) {
      const kept =
        lastUpdate === null ? [] : [lastUpdate.weight, lastUpdate.update, ...lastUpdate.slots.values()];
      for (const block of [weight, gradient, ...slots.values(), ...kept]) this.#machine.arena.free(block);
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

  /** Where what the next update begins with is kept; made, with the optimiser's own state, when it comes first. */
  #lastUpdate(parameter: ParameterPlan, settings: OptimiserSettings): UpdateBlocks {
    const blocks = this.#blocks(parameter);
    const { arena } = this.#machine;
    const { size } = parameter;
    const kept = (blocks.lastUpdate ??= {
      weight: arena.allocate(size),
      slots: new Map(),
      update: arena.allocate(size),
    });
    for (const slot of stateSlots(settings)) {
      this.#slot(parameter, slot);
      if (!kept.slots.has(slot)) kept.slots.set(slot, arena.allocate(size));
    }
    return kept;
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

function addressOf(slots: ReadonlyMap<StateSlot, Block>, slot: StateSlot): number {
  const block = slots.get(slot);
  if (block === undefined) throw new GradscopeError('internal', `The optimiser keeps no ${slot} here.`);
  return block.address;
}

function copyOrClear(source: Block | undefined, target: Float32Array): void {
  if (source === undefined) target.fill(0);
  else target.set(source.floats);
}

function checkSize(parameter: ParameterPlan, values: Float32Array): void {
  if (values.length !== parameter.size) {
    throw new GradscopeError(
      'internal',
      `${parameter.name} has ${parameter.size} values, but ${values.length} were given.`,
    );
  }
}
