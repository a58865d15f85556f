import { dropoutMask, maskShape } from '../../src-shared/model/dropout-mask';
import { sizeOf, type LayerPlan, type NetworkPlan } from '../../src-shared/model/network';
import type { Phase } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { ForwardContext, Pass } from '../engine/engine';

/** A tensor of a layer for the whole minibatch. */
export interface LayerTensor {
  /** (n, ...) */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly step: number;
  readonly phase: Phase;
}

/** The step that a minibatch is for, and where in the epochs that is. */
export interface MinibatchPlace {
  /** Counted from 1. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** Steps of the epoch before this one. */
  readonly stepInEpoch: number;
}

/** The minibatch in the training pass: computes it layer by layer and knows how far that has come. */
export class Minibatch {
  readonly place: MinibatchPlace;
  /** Training-image indices. */
  readonly indices: readonly number[];
  /** Last finished phase. */
  phase: Phase | null;
  outcome: { readonly loss: number; readonly correct: number } | null = null;
  updateBegun = false;
  readonly #plan: NetworkPlan;
  readonly #pass: Pass;
  /** Seed of the dropout masks; null: dropout is off. */
  readonly #dropoutSeed: number | null;
  readonly #context: ForwardContext;
  /** Layers 0..forwarded-1 have their output. */
  #forwarded = 0;
  /** Layers from this one on have the error of their output. */
  #errorsFrom: number;

  constructor(
    plan: NetworkPlan,
    pass: Pass,
    dropoutSeed: number | null,
    place: MinibatchPlace,
    indices: readonly number[],
    phase: Phase | null,
  ) {
    this.#plan = plan;
    this.#pass = pass;
    this.#dropoutSeed = dropoutSeed;
    this.place = place;
    this.indices = indices;
    this.phase = phase;
    this.#errorsFrom = plan.layers.length;
    const mask = (dropout: LayerPlan): Float32Array | null => this.#mask(dropout);
    this.#context = dropoutSeed === null ? { mask } : { mask, draw: { seed: dropoutSeed, step: place.step } };
  }

  forward(layer: LayerPlan): void {
    this.#pass.forward(layer, this.#context);
    this.#forwarded = layer.index + 1;
    if (this.#forwarded === this.#plan.layers.length) this.phase = 'forward';
  }

  loss(): { readonly loss: number; readonly correct: number } {
    this.outcome = this.#pass.loss();
    this.#errorsFrom = this.#plan.layers.length - 1;
    this.phase = 'loss';
    return this.outcome;
  }

  backward(layer: LayerPlan): void {
    this.#pass.backward(layer, { parameters: true });
    this.#errorsFrom = Math.max(layer.index - 1, 0);
    if (layer.index === 0) this.phase = 'backward';
  }

  /** Whether that was computed; a mask counts as computed by its layer. */
  knows(layer: LayerPlan, kind: 'activation' | 'error' | 'mask'): boolean {
    if (kind === 'mask' && (layer.spec.kind !== 'dropout' || this.#dropoutSeed === null)) return false;
    return kind === 'error' ? layer.index >= this.#errorsFrom : layer.index < this.#forwarded;
  }

  /** Copies, channel first. See Session.readLayer. */
  read(layer: LayerPlan, kind: 'activation' | 'error' | 'mask'): LayerTensor {
    const { name } = layer.spec;
    const isComputed = this.knows(layer, kind === 'error' ? 'error' : 'activation');
    if (!isComputed) {
      throw new GradscopeError('not-now', `The ${kind} of ${name} is not computed yet in this step.`);
    }
    const n = this.indices.length;
    const { step } = this.place;
    if (kind === 'mask') {
      const values = layer.spec.kind === 'dropout' ? this.#mask(layer) : null;
      if (values === null) {
        throw new GradscopeError('unknown-tensor', `${name} drops nothing, so it has no mask.`);
      }
      return { shape: [n, ...maskShape(layer)], values, step, phase: 'forward' };
    }
    const values = new Float32Array(n * sizeOf(layer.outputShape));
    const shape = [n, ...layer.outputShape];
    if (kind === 'activation') {
      this.#pass.readOutput(layer, values);
      return { shape, values, step, phase: 'forward' };
    }
    this.#pass.readError(layer, values);
    const isLast = layer.index === this.#plan.layers.length - 1;
    return { shape, values, step, phase: isLast ? 'loss' : 'backward' };
  }

  #mask(layer: LayerPlan): Float32Array | null {
    if (this.#dropoutSeed === null) return null;
    return dropoutMask(layer, this.indices.length, this.#dropoutSeed, this.place.step);
  }
}
