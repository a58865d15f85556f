import * as tf from '@tensorflow/tfjs-core';
import type { NetworkPlan, ParameterPlan } from '../../src-shared/model/network';
import { stateSlots, type StateSlot } from '../../src-shared/model/optimiser';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { l2Norm } from '../../src-shared/tensor/statistics';
import type { Arithmetic } from './arithmetic';
import type { EngineNetwork, OptimiserSettings, ParameterTensor, Pass, TensorView } from './engine';
import { updateAdam, updateSgd } from './kernels/optimisers';
import { TfjsPass } from './tfjs-pass';

/** What a parameter is made of, all in PyTorch's layout, so nothing is reordered on the way in or out. */
interface ParameterState {
  /** Written in place; nothing derived from a weight is kept from one pass to the next. */
  readonly variable: tf.Variable;
  /** Overwritten by each backward pass; one tensor for life. */
  readonly gradient: tf.Tensor;
  /** What the optimiser remembers; a slot is made when it is first written. */
  readonly slots: Map<StateSlot, Float32Array>;
  /** Null before the first update. */
  lastUpdate: LastUpdate | null;
}

/** What the last update began with, and what it added to the weight. */
interface LastUpdate {
  readonly weight: Float32Array;
  readonly slots: Map<StateSlot, Float32Array>;
  readonly update: Float32Array;
}

/**
 * A network whose parameters are tfjs variables on the active backend. update() and backward() write into the memory of
 * the variables and gradients: no tensor is made or freed by a step. A further handle that fit() makes on that memory shows
 * what is written later, so handles are for the step in which they were made.
 */
export class TfjsNetwork implements EngineNetwork {
  readonly plan: NetworkPlan;
  readonly tensors: TensorView;
  readonly #arithmetic: Arithmetic;
  readonly #states: ReadonlyMap<string, ParameterState>;
  readonly #passes = new Set<TfjsPass>();
  readonly #onDispose: (network: TfjsNetwork) => void;
  #disposed = false;

  constructor(
    plan: NetworkPlan,
    backend: string,
    arithmetic: Arithmetic,
    onDispose: (network: TfjsNetwork) => void,
  ) {
    this.plan = plan;
    this.#arithmetic = arithmetic;
    this.#onDispose = onDispose;
    this.#states = new Map(plan.parameters.map((parameter) => [parameter.name, createState(parameter)]));
    this.tensors = {
      backend,
      variable: (parameter) => this.#state(parameter).variable,
      gradient: (parameter) => this.#state(parameter).gradient,
    };
  }

  writeParameter(parameter: ParameterPlan, values: Float32Array): void {
    checkSize(parameter, values);
    this.#arithmetic.view(this.#state(parameter).variable).set(values);
  }

  readParameter(parameter: ParameterPlan, what: ParameterTensor, target: Float32Array): void {
    checkSize(parameter, target);
    const { variable, gradient, slots, lastUpdate } = this.#state(parameter);
    if (what === 'weight') target.set(this.#arithmetic.view(variable));
    else if (what === 'gradient') target.set(this.#arithmetic.view(gradient));
    else copyOrClear(what === 'update' ? lastUpdate?.update : slots.get(what), target);
  }

  readBefore(parameter: ParameterPlan, what: 'weight' | StateSlot, target: Float32Array): void {
    checkSize(parameter, target);
    const { lastUpdate } = this.#state(parameter);
    copyOrClear(what === 'weight' ? lastUpdate?.weight : lastUpdate?.slots.get(what), target);
  }

  norm(parameter: ParameterPlan, of: 'weight' | 'gradient' | 'update'): number {
    const { variable, gradient, lastUpdate } = this.#state(parameter);
    if (of === 'update') return l2Norm(lastUpdate?.update ?? []);
    return l2Norm(this.#arithmetic.view(of === 'weight' ? variable : gradient));
  }

  writeState(parameter: ParameterPlan, slot: StateSlot, values: Float32Array): void {
    checkSize(parameter, values);
    slotOf(this.#state(parameter), slot).set(values);
  }

  zeroGradients(): void {
    for (const { gradient } of this.#states.values()) this.#arithmetic.view(gradient).fill(0);
  }

  update(parameter: ParameterPlan, settings: OptimiserSettings, count: number): void {
    const state = this.#state(parameter);
    const w = this.#arithmetic.view(state.variable);
    const g = this.#arithmetic.view(state.gradient);
    const { weight: before, slots, update } = (state.lastUpdate ??= noUpdate(parameter.size));
    before.set(w);
    for (const slot of stateSlots(settings)) {
      const kept = slots.get(slot) ?? new Float32Array(parameter.size);
      kept.set(slotOf(state, slot));
      slots.set(slot, kept);
    }
    if (settings.kind === 'sgd') {
      updateSgd(settings, w, g, slotOf(state, 'momentum'));
    } else {
      updateAdam(settings, count, w, g, slotOf(state, 'firstMoment'), slotOf(state, 'secondMoment'));
    }
    for (let i = 0; i < update.length; i++) update[i] = w[i]! - before[i]!;
  }

  createPass(): Pass {
    if (this.#disposed) throw new GradscopeError('internal', 'A disposed network makes no more passes.');
    const pass = new TfjsPass(this.plan, this.tensors, this.#arithmetic, (gone) => {
      this.#passes.delete(gone);
    });
    this.#passes.add(pass);
    return pass;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const pass of this.#passes) pass.dispose();
    for (const { variable, gradient } of this.#states.values()) {
      variable.dispose();
      gradient.dispose();
    }
    this.#onDispose(this);
  }

  #state(parameter: ParameterPlan): ParameterState {
    const state = this.#states.get(parameter.name);
    if (state === undefined || this.#disposed) {
      const why = this.#disposed ? 'the network is disposed' : 'the network has no such parameter';
      throw new GradscopeError('internal', `${parameter.name} cannot be reached: ${why}.`);
    }
    return state;
  }
}

function createState(parameter: ParameterPlan): ParameterState {
  const shape = [...parameter.shape];
  return {
    variable: tf.tidy(() => tf.variable(tf.zeros(shape))),
    gradient: tf.keep(tf.zeros(shape)),
    slots: new Map(),
    lastUpdate: null,
  };
}

const noUpdate = (size: number): LastUpdate => ({
  weight: new Float32Array(size),
  slots: new Map(),
  update: new Float32Array(size),
});

function copyOrClear(source: Float32Array | undefined, target: Float32Array): void {
  if (source === undefined) target.fill(0);
  else target.set(source);
}

function slotOf({ gradient, slots }: ParameterState, slot: StateSlot): Float32Array {
  const values = slots.get(slot) ?? new Float32Array(gradient.size);
  slots.set(slot, values);
  return values;
}

function checkSize(parameter: ParameterPlan, values: Float32Array): void {
  if (values.length !== parameter.size) {
    throw new GradscopeError(
      'internal',
      `${parameter.name} has ${parameter.size} values, but ${values.length} were given.`,
    );
  }
}
