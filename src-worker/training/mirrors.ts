import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../src-shared/model/network';
import { stateSlots, type OptimiserSpec, type StateSlot } from '../../src-shared/model/optimiser';
import type { Phase } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Freshness } from '../../src-shared/protocol/messages';
import { l2Norm } from '../../src-shared/tensor/statistics';
import type { EngineNetwork } from '../engine/engine';

/** A parameter as the rest of the worker sees it: copies in PyTorch's layout, replaced in place, never aliased to the engine. */
export interface Mirror {
  readonly weight: TensorCopy;
  readonly gradient: TensorCopy;
  readonly update: TensorCopy;
}

export interface TensorCopy {
  readonly values: Float32Array;
  freshness: Freshness;
  /** Step the values belong to (0: initial). */
  step: number;
  phase: Phase | null;
}

type Marks = Pick<TensorCopy, 'freshness' | 'step' | 'phase'>;

/** The mirror of one parameter, and what it takes to put it back as it was before the minibatch under way. */
interface Held {
  readonly parameter: ParameterPlan;
  readonly mirror: Mirror;
  readonly before: { readonly gradient: Float32Array; gradientMarks: Marks; updateMarks: Marks };
  readonly lastUpdate: {
    readonly weightBefore: Float32Array;
    readonly stateBefore: SlotValues;
    /** See UpdateParts. */
    count: number;
    /** Null: there was none yet, or the values were replaced since. */
    step: number | null;
  };
}

/** What the optimiser remembers of a parameter, by slot, in the order of stateSlots(). */
type SlotValues = ReadonlyMap<StateSlot, Float32Array>;

/** What went into the last update of a parameter and what came out of it, but the optimiser's state after. */
export interface UpdateParts {
  readonly step: number;
  /** The number of the update since the state was zero, from 1. */
  readonly count: number;
  readonly weightBefore: Float32Array;
  readonly stateBefore: SlotValues;
  readonly gradient: Float32Array;
  readonly weightAfter: Float32Array;
  readonly update: Float32Array;
}

/**
 * Copies of every weight, gradient and update in PyTorch's layout, each saying which step and phase it is of. They follow
 * the engine as training goes on and are replaced in place. dW is W after the step - W before it, from these copies.
 */
export class Mirrors {
  #network: EngineNetwork;
  readonly #held: readonly Held[];
  readonly #byName: ReadonlyMap<string, Held>;
  /** One parameter for each layer that has any: its weight. Norms are of these. */
  readonly #weightsOfLayers: readonly Held[];

  constructor(plan: NetworkPlan, network: EngineNetwork, optimiser: OptimiserSpec) {
    this.#network = network;
    const slots = stateSlots(optimiser);
    this.#held = plan.parameters.map((parameter) => createHeld(parameter, slots));
    this.#byName = new Map(this.#held.map((held) => [held.parameter.name, held]));
    this.#weightsOfLayers = this.#held.filter(({ parameter }) => parameter.role === 'weight');
  }

  /** @throws GradscopeError `unknown-tensor` */
  get(parameterName: string): Mirror {
    return this.#named(parameterName).mirror;
  }

  /** Weights were replaced by other means than a step. What is known of gradients and updates is then not of these weights. */
  weightsReplaced(step: number): void {
    for (const { parameter, mirror } of this.#held) {
      this.#network.readParameter(parameter, 'weight', mirror.weight.values);
      mark(mirror.weight, { freshness: 'fresh', step, phase: null });
      age(mirror.gradient);
      age(mirror.update);
    }
    for (const { lastUpdate } of this.#held) lastUpdate.step = null;
  }

  /** From now on they follow a network that has the same values; what is known so far stays. */
  moveTo(network: EngineNetwork): void {
    this.#network = network;
  }

  setWeight(parameterName: string, index: number, value: number): void {
    const { parameter, mirror, lastUpdate } = this.#named(parameterName);
    lastUpdate.step = null;
    mirror.weight.values[index] = value;
    this.#network.writeParameter(parameter, mirror.weight.values);
    age(mirror.gradient);
    age(mirror.update);
  }

  beginStep(): void {
    for (const { mirror, before } of this.#held) {
      before.gradient.set(mirror.gradient.values);
      before.gradientMarks = marksOf(mirror.gradient);
      before.updateMarks = marksOf(mirror.update);
      age(mirror.gradient);
      age(mirror.update);
    }
  }

  gradientsCleared(step: number): void {
    for (const { mirror } of this.#held) {
      mirror.gradient.values.fill(0);
      mark(mirror.gradient, { freshness: 'cleared', step, phase: 'zeroGrad' });
    }
  }

  gradientsComputed(layer: LayerPlan, step: number): void {
    for (const { name } of layer.parameters) {
      const { parameter, mirror } = this.#named(name);
      this.#network.readParameter(parameter, 'gradient', mirror.gradient.values);
      mark(mirror.gradient, { freshness: 'fresh', step, phase: 'backward' });
    }
  }

  /** Called just before the update, while the engine still has the optimiser's state of before it. */
  updating(): void {
    for (const { parameter, lastUpdate } of this.#held) {
      for (const [slot, values] of lastUpdate.stateBefore) {
        this.#network.readParameter(parameter, slot, values);
      }
    }
  }

  /** @param count the number of the update since the optimiser's state was zero */
  weightsUpdated(step: number, count: number): void {
    for (const { parameter, mirror, lastUpdate } of this.#held) {
      const { weightBefore } = lastUpdate;
      const weight = mirror.weight.values;
      const update = mirror.update.values;
      weightBefore.set(weight);
      this.#network.readParameter(parameter, 'weight', weight);
      for (let i = 0; i < weight.length; i++) update[i] = weight[i]! - weightBefore[i]!;
      lastUpdate.step = step;
      lastUpdate.count = count;
      mark(mirror.weight, { freshness: 'fresh', step, phase: 'step' });
      mark(mirror.update, { freshness: 'fresh', step, phase: 'step' });
    }
  }

  /** The numbers of the last update; null when there was none or the weights were replaced since. */
  lastUpdate(parameterName: string): UpdateParts | null {
    const { mirror, before, lastUpdate } = this.#named(parameterName);
    const { step, count, weightBefore, stateBefore } = lastUpdate;
    if (step === null) return null;
    // Within the step after it, the gradient that it used is the one kept for an abandoned step.
    const gradient = mirror.gradient.step === step ? mirror.gradient.values : before.gradient;
    const parts = { step, count, weightBefore, stateBefore, gradient };
    return { ...parts, weightAfter: mirror.weight.values, update: mirror.update.values };
  }

  /** The minibatch under way was given up: everything is as it was before it began. */
  stepAbandoned(): void {
    for (const { mirror, before } of this.#held) {
      mirror.gradient.values.set(before.gradient);
      mark(mirror.gradient, before.gradientMarks);
      mark(mirror.update, before.updateMarks);
    }
  }

  /** L2 norm of each layer's weights (or their gradient or update), in network order, without biases. */
  norms(kind: keyof Mirror): Float64Array {
    return Float64Array.from(this.#weightsOfLayers, ({ mirror }) => l2Norm(mirror[kind].values));
  }

  #named(name: string): Held {
    const held = this.#byName.get(name);
    if (held === undefined) {
      const known = [...this.#byName.keys()].join(', ');
      throw new GradscopeError('unknown-tensor', `There is no parameter called ${name}; there is ${known}.`);
    }
    return held;
  }
}

function createHeld(parameter: ParameterPlan, slots: readonly StateSlot[]): Held {
  const notYet: Marks = { freshness: 'notYet', step: 0, phase: null };
  const copy = (marks: Marks): TensorCopy => ({ values: new Float32Array(parameter.size), ...marks });
  return {
    parameter,
    mirror: {
      weight: copy({ freshness: 'fresh', step: 0, phase: null }),
      gradient: copy(notYet),
      update: copy(notYet),
    },
    before: { gradient: new Float32Array(parameter.size), gradientMarks: notYet, updateMarks: notYet },
    lastUpdate: {
      weightBefore: new Float32Array(parameter.size),
      stateBefore: new Map(slots.map((slot) => [slot, new Float32Array(parameter.size)])),
      count: 0,
      step: null,
    },
  };
}

function mark(copy: TensorCopy, { freshness, step, phase }: Marks): void {
  copy.freshness = freshness;
  copy.step = step;
  copy.phase = phase;
}

const marksOf = ({ freshness, step, phase }: TensorCopy): Marks => ({ freshness, step, phase });

function age(copy: TensorCopy): void {
  if (copy.freshness === 'fresh') copy.freshness = 'old';
}
