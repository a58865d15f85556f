import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../src-shared/model/network';
import { stateSlots, type OptimiserSpec, type StateSlot } from '../../src-shared/model/optimiser';
import type { Phase } from '../../src-shared/model/phases';
import type { NonFiniteKind } from '../../src-shared/protocol/messages';
import { countNonFinite } from '../../src-shared/tensor/statistics';

/** Where a NaN or an infinity was met first. */
export interface NonFiniteReport {
  readonly step: number;
  readonly phase: Phase;
  /** Null: in the images or the loss. */
  readonly layer: string | null;
  /** A parameter, a layer (its output or its error), `input` or `loss`. */
  readonly tensor: string;
  /** What of the tensor it was. */
  readonly kind: NonFiniteKind;
  readonly nan: number;
  readonly infinite: number;
}

/** The numbers of a run, each as it is at the moment of the call. */
export interface Numbers {
  /** L2 norm: finite exactly when every value is. */
  norm(kind: 'weight' | 'gradient' | 'update', parameter: ParameterPlan): number;
  parameter(kind: 'weight' | 'gradient' | 'update', parameter: ParameterPlan): Float32Array;
  state(parameter: ParameterPlan, slot: StateSlot): Float32Array;
  /** Of the whole minibatch under way. */
  layer(kind: 'output' | 'error', layer: LayerPlan): Float32Array;
  images(): Float32Array;
}

/**
 * Where no value can be larger, no sum of float32 numbers overflows, whatever its order and rounding: the largest float32 is
 * 3.4e38, and a fast convolution may hold some hundred times its result in between.
 */
const SURELY_FINITE = 1e34;

const isSafe = (bound: number): boolean => bound < SURELY_FINITE;

/**
 * Finds the first NaN or infinity of a run at the place where it arises, also one that a later layer hides (ReLU and max-pool
 * hide -infinity, Adam an infinite second moment). Looking at every value would cost a tenth of the time of a step, so values are
 * looked at only where one may have overflowed: by the Cauchy-Schwarz inequality no output is larger than the largest input times
 * |W| times the root of the number of products in a sum, plus |b|, and both norms are known. What comes out of a layer bounds what
 * goes into the next, forwards for outputs, backwards for errors, and from step to step for the optimiser's state.
 */
export class FirstNonFinite {
  readonly #plan: NetworkPlan;
  readonly #optimiser: OptimiserSpec;
  readonly #numbers: Numbers;
  readonly #largestInput: number;
  /** No value of the optimiser's state is larger; by parameter. */
  readonly #stateBounds: Map<ParameterPlan, Map<StateSlot, number>>;
  #report: NonFiniteReport | null = null;
  /** No value of the output (in backward: of the error) that was computed last is larger. */
  #bound = 0;

  /** @param largestInput largest magnitude that a value of an image can have */
  constructor(plan: NetworkPlan, optimiser: OptimiserSpec, largestInput: number, numbers: Numbers) {
    this.#plan = plan;
    this.#optimiser = optimiser;
    this.#numbers = numbers;
    this.#largestInput = largestInput;
    this.#stateBounds = new Map(
      plan.parameters.map((parameter) => [parameter, new Map<StateSlot, number>()]),
    );
  }

  /** Null: none since the run began or its weights were made sound by other means than a step. */
  get report(): NonFiniteReport | null {
    return this.#report;
  }

  /** All weights were replaced and the optimiser's state was cleared. */
  weightsReplaced(): void {
    for (const bounds of this.#stateBounds.values()) bounds.clear();
    this.weightSet();
  }

  /** A weight was set by hand. When all are finite now, the next NaN or infinity is the first again. */
  weightSet(): void {
    const { parameters } = this.#plan;
    if (parameters.every((parameter) => Number.isFinite(this.#numbers.norm('weight', parameter)))) {
      this.#report = null;
    }
  }

  /** After the forward pass of each layer, in their order. */
  forward(step: number, layer: LayerPlan): void {
    if (layer.index === 0) this.#checkImages(step);
    for (const parameter of layer.parameters) this.#checkParameter(step, 'forward', 'weight', parameter);
    this.#bound = this.#largestOutput(layer, this.#bound);
    this.#checkLayer(step, 'forward', 'output', layer);
  }

  loss(step: number, loss: number): void {
    // Metrics are float32.
    const values = Float32Array.of(loss);
    if (!Number.isFinite(values[0])) this.#met(step, 'loss', null, 'loss', 'loss', values);
    // Of an example |softmax - target| is at most 1, and at most 2 where the softmax of a softmax is taken.
    this.#bound = 2;
  }

  /** After the backward pass of each layer, from the last to the first. */
  backward(step: number, layer: LayerPlan): void {
    for (const parameter of layer.parameters) this.#checkParameter(step, 'backward', 'gradient', parameter);
    const before = this.#plan.layers[layer.index - 1];
    if (before === undefined) return;
    this.#bound = this.#largestInputError(layer, this.#bound);
    this.#checkLayer(step, 'backward', 'error', before);
  }

  /** Just before the update of all parameters: what their state may become. */
  updateBegins(): void {
    for (const [parameter, bounds] of this.#stateBounds) {
      const norm = this.#numbers.norm('gradient', parameter);
      const decay = this.#optimiser.weightDecay;
      // Without decay a weight that is not finite is no matter of the state.
      const largest = decay === 0 ? norm : norm + decay * this.#numbers.norm('weight', parameter);
      for (const slot of stateSlots(this.#optimiser)) {
        bounds.set(slot, nextState(this.#optimiser, slot, bounds.get(slot) ?? 0, largest));
      }
    }
  }

  /** After the update of all parameters. */
  updated(step: number): void {
    for (const [parameter, bounds] of this.#stateBounds) {
      if (this.#report !== null) return;
      const isSound =
        Number.isFinite(this.#numbers.norm('weight', parameter)) &&
        Number.isFinite(this.#numbers.norm('update', parameter)) &&
        [...bounds.values()].every(isSafe);
      if (isSound) continue;
      for (const slot of bounds.keys()) {
        const values = this.#numbers.state(parameter, slot);
        this.#met(step, 'step', this.#layerOf(parameter), parameter.name, slot, values);
        bounds.set(slot, largestMagnitude(values));
      }
      this.#checkParameter(step, 'step', 'weight', parameter);
      this.#checkParameter(step, 'step', 'update', parameter);
    }
  }

  #largestOutput({ spec, parameters }: LayerPlan, input: number): number {
    switch (spec.kind) {
      case 'conv2d':
      case 'dense': {
        const [weight, bias] = parameters;
        if (weight === undefined || bias === undefined) return Infinity;
        const norm = this.#numbers.norm('weight', weight);
        return input * norm * Math.sqrt(weight.fanIn) + this.#numbers.norm('weight', bias);
      }
      case 'averagePool2d':
        // The sum that is then divided.
        return input * spec.size ** 2;
      case 'dropout':
        return input / (1 - spec.rate);
      case 'leakyRelu':
        return input * Math.max(1, spec.slope);
      case 'sigmoid':
      case 'tanh':
        return 1;
      case 'maxPool2d':
      case 'relu':
      case 'flatten':
        return input;
    }
  }

  #largestInputError({ spec, parameters }: LayerPlan, error: number): number {
    switch (spec.kind) {
      case 'conv2d':
      case 'dense': {
        const [weight] = parameters;
        return weight === undefined
          ? Infinity
          : error * this.#numbers.norm('weight', weight) * Math.sqrt(weight.fanOut);
      }
      case 'maxPool2d':
      case 'averagePool2d':
        // So many windows may share a value.
        return error * Math.ceil(spec.size / spec.stride) ** 2;
      case 'dropout':
        return error / (1 - spec.rate);
      case 'leakyRelu':
        return error * Math.max(1, spec.slope);
      case 'relu':
      case 'sigmoid':
      case 'tanh':
      case 'flatten':
        return error;
    }
  }

  #checkImages(step: number): void {
    this.#bound = this.#largestInput;
    if (isSafe(this.#bound) || this.#report !== null) return;
    const values = this.#numbers.images();
    this.#met(step, 'forward', null, 'input', 'input', values);
    this.#bound = largestMagnitude(values);
  }

  #checkLayer(step: number, phase: Phase, kind: 'output' | 'error', layer: LayerPlan): void {
    if (isSafe(this.#bound) || this.#report !== null) return;
    const values = this.#numbers.layer(kind, layer);
    this.#met(step, phase, layer.spec.name, layer.spec.name, kind, values);
    this.#bound = largestMagnitude(values);
  }

  #checkParameter(
    step: number,
    phase: Phase,
    kind: 'weight' | 'gradient' | 'update',
    parameter: ParameterPlan,
  ): void {
    if (this.#report !== null || Number.isFinite(this.#numbers.norm(kind, parameter))) return;
    const values = this.#numbers.parameter(kind, parameter);
    this.#met(step, phase, this.#layerOf(parameter), parameter.name, kind, values);
  }

  /** Values that are looked at; the first that are not all finite make the report. */
  #met(
    step: number,
    phase: Phase,
    layer: string | null,
    tensor: string,
    kind: NonFiniteKind,
    values: Float32Array,
  ): void {
    if (this.#report !== null) return;
    const { nan, infinite } = countNonFinite(values);
    if (nan + infinite > 0) this.#report = { step, phase, layer, tensor, kind, nan, infinite };
  }

  #layerOf({ layerIndex }: ParameterPlan): string | null {
    return this.#plan.layers[layerIndex]?.spec.name ?? null;
  }
}

/** How large a value of the state can be after an update. @param gradient largest magnitude of the gradient with its decay */
function nextState(optimiser: OptimiserSpec, slot: StateSlot, before: number, gradient: number): number {
  if (optimiser.kind === 'sgd') {
    // A velocity of before is gone without momentum.
    return optimiser.momentum === 0 ? gradient : optimiser.momentum * before + gradient;
  }
  const { beta1, beta2 } = optimiser;
  return slot === 'firstMoment'
    ? beta1 * before + (1 - beta1) * gradient
    : beta2 * before + (1 - beta2) * gradient ** 2;
}

/** NaN if there is one. */
function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (const value of values) {
    const magnitude = Math.abs(value);
    if (!(magnitude <= largest)) largest = magnitude;
  }
  return largest;
}
