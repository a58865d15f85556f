import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../src-shared/model/network';
import { stateSlots, type OptimiserSpec, type StateSlot } from '../../src-shared/model/optimiser';
import type { Phase } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shorten } from '../../src-shared/text/shorten';
import type { Freshness } from '../../src-shared/protocol/messages';
import type { EngineNetwork } from '../engine/engine';

/** A parameter as the rest of the worker sees it: copies in PyTorch's layout, never aliased to the engine. */
export interface Mirror {
  readonly weight: TensorCopy;
  readonly gradient: TensorCopy;
  readonly update: TensorCopy;
}

export interface TensorCopy {
  /** Whoever needs them longer than to the next call of the session copies them: they are replaced as training goes on. */
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
  readonly mirror: Mirror & { readonly gradient: { values: Float32Array } };
  readonly norms: Record<keyof Mirror, number>;
  readonly before: { gradient: Float32Array; gradientMarks: Marks; updateMarks: Marks };
  /**
   * See UpdateParts. Null: there was none yet, or the values were replaced since. What it began with is kept by the engine that
   * computed it, and here once the session has moved to another.
   */
  lastUpdate: (Pick<UpdateParts, 'step' | 'count'> & Partial<BeforeUpdate>) | null;
}

type BeforeUpdate = Pick<UpdateParts, 'weightBefore' | 'stateBefore'>;

/** What went into the last update of a parameter and what came out of it, but the optimiser's state after. */
export interface UpdateParts {
  readonly step: number;
  /** The number of the update since the state was zero, from 1. */
  readonly count: number;
  readonly weightBefore: Float32Array;
  /** What the optimiser remembered, by slot, in the order of stateSlots(). */
  readonly stateBefore: ReadonlyMap<StateSlot, Float32Array>;
  readonly gradient: Float32Array;
  readonly weightAfter: Float32Array;
  readonly update: Float32Array;
}

/**
 * Copies of every weight, gradient and update in PyTorch's layout, each saying which step and phase it is of. They follow
 * the engine as training goes on. dW is W after the step - W before it.
 */
export class Mirrors {
  #network: EngineNetwork;
  readonly #slots: readonly StateSlot[];
  readonly #held: readonly Held[];
  readonly #byName: ReadonlyMap<string, Held>;
  /** One parameter for each layer that has any: its weight. Norms are of these. */
  readonly #weightsOfLayers: readonly Held[];

  constructor(plan: NetworkPlan, network: EngineNetwork, optimiser: OptimiserSpec) {
    this.#network = network;
    this.#slots = stateSlots(optimiser);
    this.#held = plan.parameters.map(createHeld);
    this.#byName = new Map(this.#held.map((held) => [held.parameter.name, held]));
    this.#weightsOfLayers = this.#held.filter(({ parameter }) => parameter.role === 'weight');
  }

  /** @throws GradscopeError `unknown-tensor` */
  get(parameterName: string): Mirror {
    return this.#named(parameterName).mirror;
  }

  /** Weights were replaced by other means than a step. What is known of gradients and updates is then not of these weights. */
  weightsReplaced(step: number): void {
    for (const { parameter, mirror, norms } of this.#held) {
      this.#network.readParameter(parameter, 'weight', mirror.weight.values);
      norms.weight = this.#network.norm(parameter, 'weight');
      mark(mirror.weight, { freshness: 'fresh', step, phase: null });
      age(mirror.gradient);
      age(mirror.update);
    }
    for (const held of this.#held) held.lastUpdate = null;
  }

  /** From now on they follow a network that has the same values; what is known so far stays. */
  moveTo(network: EngineNetwork): void {
    for (const held of this.#held) {
      if (held.lastUpdate !== null) held.lastUpdate = { ...this.#before(held), ...held.lastUpdate };
    }
    this.#network = network;
  }

  setWeight(parameterName: string, index: number, value: number): void {
    const held = this.#named(parameterName);
    const { parameter, mirror, norms } = held;
    held.lastUpdate = null;
    mirror.weight.values[index] = value;
    this.#network.writeParameter(parameter, mirror.weight.values);
    norms.weight = this.#network.norm(parameter, 'weight');
    age(mirror.gradient);
    age(mirror.update);
  }

  beginStep(): void {
    for (const { mirror, before } of this.#held) {
      exchange(mirror, before);
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
    for (const { name } of layer.parameters) this.#follow(this.#named(name), 'gradient', step, 'backward');
  }

  /** @param count the number of the update since the optimiser's state was zero */
  weightsUpdated(step: number, count: number): void {
    for (const held of this.#held) {
      this.#follow(held, 'weight', step, 'step');
      this.#follow(held, 'update', step, 'step');
      held.lastUpdate = { step, count };
    }
  }

  /** The numbers of the last update; null when there was none or the weights were replaced since. */
  lastUpdate(parameterName: string): UpdateParts | null {
    const held = this.#named(parameterName);
    const { mirror, before, lastUpdate } = held;
    if (lastUpdate === null) return null;
    const { step } = lastUpdate;
    // Within the step after it, the gradient that it used is the one kept for an abandoned step.
    const gradient = mirror.gradient.step === step ? mirror.gradient.values : before.gradient;
    const parts = { ...this.#before(held), ...lastUpdate, gradient };
    return { ...parts, weightAfter: mirror.weight.values, update: mirror.update.values };
  }

  /** The minibatch under way was given up: everything is as it was before it began. */
  stepAbandoned(): void {
    for (const { mirror, before } of this.#held) {
      exchange(mirror, before);
      mark(mirror.gradient, before.gradientMarks);
      mark(mirror.update, before.updateMarks);
    }
  }

  /** L2 norm of a parameter's weight (or its gradient or update) as the engine had it last: finite when all its values are. */
  norm(kind: keyof Mirror, parameterName: string): number {
    return this.#named(parameterName).norms[kind];
  }

  /** The norm of each layer's weights, in network order, without biases. */
  norms(kind: keyof Mirror): Float64Array {
    return Float64Array.from(this.#weightsOfLayers, ({ norms }) => norms[kind]);
  }

  /** What the last update began with, as the engine keeps it. */
  #before({ parameter }: Held): BeforeUpdate {
    const read = (what: 'weight' | StateSlot): Float32Array => {
      const values = new Float32Array(parameter.size);
      this.#network.readBefore(parameter, what, values);
      return values;
    };
    return {
      weightBefore: read('weight'),
      stateBefore: new Map(this.#slots.map((slot) => [slot, read(slot)])),
    };
  }

  #follow({ parameter, mirror, norms }: Held, kind: keyof Mirror, step: number, phase: Phase): void {
    this.#network.readParameter(parameter, kind, mirror[kind].values);
    norms[kind] = this.#network.norm(parameter, kind);
    mark(mirror[kind], { freshness: 'fresh', step, phase });
  }

  #named(name: string): Held {
    const held = this.#byName.get(name);
    if (held === undefined) {
      const known = [...this.#byName.keys()].join(', ');
      throw new GradscopeError(
        'unknown-tensor',
        `There is no parameter called ${shorten(name, 60)}; there is ${known}.`,
      );
    }
    return held;
  }
}

function createHeld(parameter: ParameterPlan): Held {
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
    norms: { weight: 0, gradient: 0, update: 0 },
    lastUpdate: null,
  };
}

/** The gradient of the step before stays as it is; its place is taken by memory to write on. */
function exchange({ gradient }: Held['mirror'], before: Held['before']): void {
  const { values } = gradient;
  gradient.values = before.gradient;
  before.gradient = values;
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
