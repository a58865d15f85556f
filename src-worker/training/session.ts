import { createHash } from 'node:crypto';
import { dropoutMask } from '../../src-shared/model/dropout-mask';
import { initialValues } from '../../src-shared/model/initialise';
import {
  planNetwork,
  type LayerPlan,
  type NetworkPlan,
  type ParameterPlan,
} from '../../src-shared/model/network';
import { listedOrder, shuffledOrder, type MinibatchOrder } from '../../src-shared/model/order';
import { stateSlots } from '../../src-shared/model/optimiser';
import type { Phase } from '../../src-shared/model/phases';
import type { Recipe } from '../../src-shared/model/recipe';
import type { RunConfig } from '../../src-shared/model/run-config';
import { readSafetensors, writeSafetensors } from '../../src-shared/model/safetensors';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shorten } from '../../src-shared/text/shorten';
import { gatherMinibatch, labelsOf, normalisation, type Dataset } from '../data/dataset';
import type { Engine, EngineNetwork, ForwardContext, Pass } from '../engine/engine';
import { FirstNonFinite, type NonFiniteReport } from './first-non-finite';
import { Minibatch, type LayerTensor } from './minibatch';
import { Mirrors, type Mirror, type TensorCopy, type UpdateParts } from './mirrors';

export type { Mirror, TensorCopy };

/** The last finished step, as far as it takes to compute its loss again. */
export interface FinishedStep {
  readonly step: number;
  /** (n, channels, height, width), as the network got them. */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
  /** Gives the dropout masks of the step. */
  readonly context: ForwardContext;
  /** In network order. */
  readonly parameters: readonly ({ readonly parameter: ParameterPlan } & UpdateParts)[];
}

/** What one finished step tells; one row of the metrics lane. */
export interface StepRecord {
  readonly step: number;
  readonly loss: number;
  readonly runningLoss: number;
  readonly runningAccuracy: number;
  /** L2 norms for each layer that has parameters, in network order, weights without biases. */
  readonly weightNorms: Float64Array;
  readonly gradientNorms: Float64Array;
  readonly updateNorms: Float64Array;
}

export interface SessionView {
  readonly plan: NetworkPlan;
  /** Finished steps. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly stepsPerEpoch: number;
  readonly phase: Phase | null;
  readonly minibatch: { readonly step: number; readonly indices: readonly number[] } | null;
  /** Whether a minibatch is under way. */
  readonly inStep: boolean;
  mirror(parameterName: string): Mirror;
  readExample(layerName: string, kind: ExampleKind, example: number): LayerTensor | null;
}

/** What there is to see of one example of a minibatch on its way through a layer. */
export type ExampleKind = 'activation' | 'error' | 'mask';

export interface SessionOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly recipe: Recipe;
  readonly config: Pick<RunConfig, 'seed' | 'dropout' | 'order' | 'epochs'>;
}

/** How far a run has come, and what it showed on the way; replaced as a whole when a step is finished. */
interface Progress {
  readonly step: number;
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly phase: Phase | null;
  readonly minibatch: SessionView['minibatch'];
  /** Sums over the examples of the epoch so far. */
  readonly epochSums: { readonly loss: number; readonly correct: number; readonly examples: number };
}

const NO_SUMS = { loss: 0, correct: 0, examples: 0 };

/**
 * One run: a network being trained, its place in the epochs, and copies of everything that can be looked at.
 *
 * Both loops train by calling, for each minibatch and in this order, beginStep, zeroGradients, forward for each layer, loss,
 * backward for each layer from the last, update, finishStep. Until the update has begun, abandonStep puts
 * everything back as it was; the minibatch can then be begun again and gives the same numbers, because all randomness is a
 * pure function of (seed, purpose, step, layer).
 */
export class Session implements SessionView {
  readonly plan: NetworkPlan;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  /** Another one after moveTo(). */
  network: EngineNetwork;
  /** The training pass: activations and errors of the minibatch under way. */
  pass: Pass;
  readonly stepsPerEpoch: number;
  readonly #config: SessionOptions['config'];
  readonly #order: MinibatchOrder;
  readonly #pixelTable: Float32Array;
  readonly #mirrors: Mirrors;
  #epochs: number;
  #progress: Progress = {
    step: 0,
    epoch: 1,
    stepInEpoch: 0,
    phase: null,
    minibatch: null,
    epochSums: NO_SUMS,
  };
  #current: Minibatch | null = null;
  /** The minibatch in the training pass, which can still be read after its step. */
  #inPass: Minibatch | null = null;
  readonly #nonFinite: FirstNonFinite;
  /** Updates since the optimiser's state was zero. */
  #updates = 0;

  /**
   * Makes a network with initial weights, standing before its first step.
   * @throws GradscopeError `bad-config` when network and dataset do not fit, `bad-order`, `engine-cannot-run`
   */
  constructor({ engine, dataset, recipe, config }: SessionOptions) {
    this.plan = planNetwork(recipe.network);
    checkFit(this.plan, dataset);
    this.recipe = recipe;
    this.dataset = dataset;
    this.#config = config;
    this.#epochs = config.epochs ?? recipe.epochs;
    this.#order =
      config.order === null
        ? shuffledOrder(dataset.train.count, recipe.batchSize, config.seed)
        : listedOrder(config.order, dataset.train.count);
    this.stepsPerEpoch = this.#order.stepsPerEpoch;
    this.#pixelTable = normalisation(recipe.input);
    this.network = engine.createNetwork(this.plan);
    this.pass = this.network.createPass();
    this.#mirrors = new Mirrors(this.plan, this.network, recipe.optimiser);
    for (const parameter of this.plan.parameters) {
      this.network.writeParameter(parameter, initialValues(recipe.initialisation, parameter, config.seed));
    }
    this.#mirrors.weightsReplaced(0);
    const largestPixel = this.#pixelTable.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.#nonFinite = new FirstNonFinite(this.plan, recipe.optimiser, largestPixel, {
      norm: (kind, { name }) => this.#mirrors.norm(kind, name),
      parameter: (kind, { name }) => this.mirror(name)[kind].values,
      state: (parameter, slot) => {
        const values = new Float32Array(parameter.size);
        this.network.readParameter(parameter, slot, values);
        return values;
      },
      layer: (kind, layer) => this.#under().read(layer, kind === 'output' ? 'activation' : 'error').values,
      images: () => this.#imagesOf(this.#under().indices).images,
    });
  }

  // ---------------------------------------------------------------- where it is

  get step(): number {
    return this.#progress.step;
  }

  get epoch(): number {
    return (this.#current?.place ?? this.#progress).epoch;
  }

  /** Epochs after which the run is over. */
  get epochs(): number {
    return this.#epochs;
  }

  /** Finished steps of the epoch. */
  get stepInEpoch(): number {
    return (this.#current?.place ?? this.#progress).stepInEpoch;
  }

  /** The last finished phase; null before the first. */
  get phase(): Phase | null {
    return (this.#current ?? this.#progress).phase;
  }

  /** The minibatch under way, or the last one. */
  get minibatch(): SessionView['minibatch'] {
    if (this.#current === null) return this.#progress.minibatch;
    return { step: this.#current.place.step, indices: this.#current.indices };
  }

  /** Mean loss of the minibatch under way; null: it has come to none yet, or none is under way. */
  get lossUnderWay(): number | null {
    return this.#current?.outcome?.loss ?? null;
  }

  /** Whether a minibatch is under way. */
  get inStep(): boolean {
    return this.#current !== null;
  }

  /** Step whose minibatch `readLayer` reads from; null: none, as at the start and after a step was given up. */
  get stepInPass(): number | null {
    return this.#inPass?.place.step ?? null;
  }

  /** All minibatches of the epoch are finished; the next step begins the next epoch. */
  get epochDone(): boolean {
    return this.#current === null && this.#progress.stepInEpoch === this.stepsPerEpoch;
  }

  get runDone(): boolean {
    return this.epochDone && this.#progress.epoch >= this.#epochs;
  }

  /** More epochs for this run. */
  extend(epochs: number): void {
    this.#epochs += epochs;
  }

  // ---------------------------------------------------------------- one step

  /** Loads the next minibatch. @throws GradscopeError `not-now` when the run is over. */
  beginStep(): void {
    if (this.#current !== null) throw outOfOrder('A step cannot begin within a step.');
    if (this.runDone) throw new GradscopeError('not-now', `All ${this.#epochs} epochs are over.`);
    const { step, epoch, stepInEpoch, phase } = this.#progress;
    const next = this.epochDone ? { epoch: epoch + 1, stepInEpoch: 0 } : { epoch, stepInEpoch };
    const indices = this.#order.indices(next.epoch, next.stepInEpoch);
    const { train } = this.dataset;
    this.pass.loadBytes(train.pixels, indices, this.#pixelTable, labelsOf(train, indices));
    this.#mirrors.beginStep();
    const { seed, dropout } = this.#config;
    const place = { step: step + 1, ...next };
    this.#current = new Minibatch(this.plan, this.pass, dropout ? seed : null, place, indices, phase);
    this.#inPass = this.#current;
  }

  zeroGradients(): void {
    const current = this.#under();
    this.network.zeroGradients();
    this.#mirrors.gradientsCleared(current.place.step);
    current.phase = 'zeroGrad';
  }

  forward(layer: LayerPlan): void {
    const current = this.#under();
    current.forward(layer);
    this.#nonFinite.forward(current.place.step, layer);
  }

  /** Mean loss over the minibatch before the update, and how many of it were classified rightly. */
  loss(): { readonly loss: number; readonly correct: number } {
    const current = this.#under();
    const outcome = current.loss();
    this.#nonFinite.loss(current.place.step, outcome.loss);
    return outcome;
  }

  backward(layer: LayerPlan): void {
    const current = this.#under();
    current.backward(layer);
    this.#mirrors.gradientsComputed(layer, current.place.step);
    this.#nonFinite.backward(current.place.step, layer);
  }

  /** Updates every parameter by the engine's own optimiser, from the gradients in the network's buffers. */
  update(): void {
    const current = this.#under();
    if (current.phase !== 'backward') throw outOfOrder('An update needs the whole backward pass.');
    current.updateBegun = true;
    this.#updates += 1;
    this.#nonFinite.updateBegins();
    for (const parameter of this.plan.parameters) {
      this.network.update(parameter, this.recipe.optimiser, this.#updates);
    }
    this.#mirrors.weightsUpdated(current.place.step, this.#updates);
    this.#nonFinite.updated(current.place.step);
    current.phase = 'step';
  }

  finishStep(): StepRecord {
    const current = this.#under();
    const { outcome, indices } = current;
    const { step, epoch, stepInEpoch } = current.place;
    if (current.phase !== 'step' || outcome === null) throw outOfOrder('A step is finished by its update.');
    const sums = stepInEpoch === 0 ? NO_SUMS : this.#progress.epochSums;
    const epochSums = {
      loss: sums.loss + outcome.loss * indices.length,
      correct: sums.correct + outcome.correct,
      examples: sums.examples + indices.length,
    };
    this.#progress = {
      step,
      epoch,
      stepInEpoch: stepInEpoch + 1,
      phase: 'step',
      minibatch: { step, indices },
      epochSums,
    };
    this.#current = null;
    return {
      step,
      loss: outcome.loss,
      runningLoss: epochSums.loss / epochSums.examples,
      runningAccuracy: epochSums.correct / epochSums.examples,
      weightNorms: this.#mirrors.norms('weight'),
      gradientNorms: this.#mirrors.norms('gradient'),
      updateNorms: this.#mirrors.norms('update'),
    };
  }

  /** Gives up the minibatch under way: counters and copies are as they were before it. Never after its update has begun. */
  abandonStep(): void {
    if (this.#under().updateBegun) throw outOfOrder('A step whose update has begun cannot be given up.');
    this.#mirrors.stepAbandoned();
    this.#current = null;
    this.#inPass = null;
  }

  // ---------------------------------------------------------------- looking

  /** @throws GradscopeError `unknown-tensor` */
  mirror(parameterName: string): Mirror {
    return this.#mirrors.get(parameterName);
  }

  /**
   * What went into the last update of a parameter and came out of it; null when there was none, or the weights were replaced
   * by other means since. Not copies.
   * @throws GradscopeError `unknown-tensor`
   */
  lastUpdate(parameterName: string): UpdateParts | null {
    return this.#mirrors.lastUpdate(parameterName);
  }

  /**
   * Of a layer, for the whole minibatch under way (or the last one until the next begins): `activation` its output, `error`
   * dL/d output, `mask` the factors of a dropout layer. Copies, channel first.
   * @throws GradscopeError `unknown-tensor` when there is no such layer or mask, `not-now` when it is not computed yet
   */
  readLayer(layerName: string, kind: 'activation' | 'error' | 'mask'): LayerTensor {
    const layer = this.plan.layers.find(({ spec }) => spec.name === layerName);
    if (layer === undefined) {
      throw new GradscopeError('unknown-tensor', `There is no layer called ${shorten(layerName, 60)}.`);
    }
    if (this.#inPass === null) {
      throw new GradscopeError('not-now', `No minibatch has been computed, so ${layerName} has no ${kind}.`);
    }
    return this.#inPass.read(layer, kind);
  }

  /**
   * The same for one example of the minibatch under way: shape (...), and null where readLayer would refuse. The activation
   * of `input` is its image as the network gets it.
   * @param example counted from 0; there must be one
   */
  readExample(layerName: string, kind: ExampleKind, example: number): LayerTensor | null {
    const current = this.#current;
    if (current === null) return null;
    const { indices, place } = current;
    if (layerName === 'input') {
      if (kind !== 'activation') return null;
      const { images } = this.#imagesOf(indices.slice(example, example + 1));
      return { shape: this.plan.spec.input, values: images, step: place.step, phase: 'zeroGrad' };
    }
    const layer = this.plan.layers.find(({ spec }) => spec.name === layerName);
    if (layer === undefined || !current.knows(layer, kind)) return null;
    const whole = current.read(layer, kind);
    const size = whole.values.length / indices.length;
    return {
      ...whole,
      shape: whole.shape.slice(1),
      values: whole.values.subarray(example * size, (example + 1) * size),
    };
  }

  /** Null when no step is finished, or when weights were set by other means since. */
  lastStep(): FinishedStep | null {
    const { minibatch } = this.#progress;
    if (minibatch === null) return null;
    const parameters: FinishedStep['parameters'][number][] = [];
    for (const parameter of this.plan.parameters) {
      const update = this.lastUpdate(parameter.name);
      if (update === null) return null;
      parameters.push({ parameter, ...update });
    }
    const { step, indices } = minibatch;
    const { images, labels } = this.#imagesOf(indices);
    const { seed, dropout } = this.#config;
    const mask = (layer: LayerPlan): Float32Array | null =>
      dropout ? dropoutMask(layer, indices.length, seed, step) : null;
    return { step, images, labels, context: { mask }, parameters };
  }

  /** The first NaN or infinity since the run began or since its weights were made sound by hand; null: none. */
  get nonFinite(): NonFiniteReport | null {
    return this.#nonFinite.report;
  }

  // ---------------------------------------------------------------- weights in and out

  /** SHA-256 (hex) of the data section of exportWeights(): all weights and biases, float32, in network order. */
  weightsSha256(): string {
    const hash = createHash('sha256');
    for (const { name } of this.plan.parameters) {
      const { values } = this.mirror(name).weight;
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    return hash.digest('hex');
  }

  /** A safetensors file. */
  exportWeights(): Uint8Array {
    return writeSafetensors(
      this.plan.parameters.map(({ name, shape }) => ({
        name,
        shape,
        values: this.mirror(name).weight.values,
      })),
    );
  }

  /**
   * Replaces every weight and clears what the optimiser remembers; counters of steps stay. Refused as a whole or done as a whole.
   * @returns the remark of readSafetensors
   * @throws GradscopeError `bad-weights`, or `not-now` within a step
   */
  importWeights(file: Uint8Array, fileName: string): string | null {
    if (this.#current !== null) {
      throw new GradscopeError('not-now', 'Weights are replaced between two minibatches only.');
    }
    const { values, remark } = readSafetensors(file, this.plan.parameters, fileName);
    for (const parameter of this.plan.parameters) {
      this.network.writeParameter(parameter, values.get(parameter.name) ?? new Float32Array(parameter.size));
      for (const slot of stateSlots(this.recipe.optimiser)) {
        this.network.writeState(parameter, slot, new Float32Array(parameter.size));
      }
    }
    this.#updates = 0;
    this.#mirrors.weightsReplaced(this.step);
    this.#nonFinite.weightsReplaced();
    return remark;
  }

  /**
   * Sets one value by hand; NaN and infinity too.
   * @param index flat, in PyTorch's layout
   * @throws GradscopeError `unknown-tensor` when there is no such parameter or value
   */
  setWeight(parameterName: string, index: number, value: number): void {
    const { length } = this.mirror(parameterName).weight.values;
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new GradscopeError(
        'unknown-tensor',
        `${parameterName} has ${length} values and none at ${index}.`,
      );
    }
    this.#mirrors.setWeight(parameterName, index, value);
    this.#nonFinite.weightSet();
  }

  /**
   * Goes on on another engine, which must be active: weights and the optimiser's state are carried over bit by bit, and where
   * it is stays. What the last minibatch left in the training pass is gone. The network of before computes no more and is the
   * caller's to dispose.
   * @throws GradscopeError `engine-cannot-run`, or `not-now` within a step; nothing has changed then
   */
  moveTo(engine: Engine): { readonly before: EngineNetwork } {
    if (this.#current !== null) {
      throw new GradscopeError('not-now', 'The engine is switched between two minibatches only.');
    }
    const before = this.network;
    const network = engine.createNetwork(this.plan);
    try {
      for (const parameter of this.plan.parameters) {
        const values = new Float32Array(parameter.size);
        before.readParameter(parameter, 'weight', values);
        network.writeParameter(parameter, values);
        for (const slot of stateSlots(this.recipe.optimiser)) {
          before.readParameter(parameter, slot, values);
          network.writeState(parameter, slot, values);
        }
      }
      this.pass = network.createPass();
    } catch (error) {
      network.dispose();
      throw error;
    }
    this.network = network;
    this.#mirrors.moveTo(network);
    this.#inPass = null;
    return { before };
  }

  dispose(): void {
    this.network.dispose();
  }

  // ----------------------------------------------------------------

  #under(): Minibatch {
    if (this.#current === null) throw outOfOrder('No step is under way.');
    return this.#current;
  }

  /** (n, channels, height, width), as the network gets them. */
  #imagesOf(indices: readonly number[]): ReturnType<typeof gatherMinibatch> {
    return gatherMinibatch(this.dataset, this.dataset.train, indices, this.#pixelTable);
  }
}

function checkFit(plan: NetworkPlan, dataset: Dataset): void {
  const [channels, height, width] = plan.spec.input;
  if (
    channels !== dataset.channels ||
    height !== dataset.height ||
    width !== dataset.width ||
    plan.classes !== dataset.classes
  ) {
    throw new GradscopeError(
      'bad-config',
      `The network takes images of ${channels} x ${height} x ${width} and tells ${plan.classes} classes apart, but ` +
        `${dataset.name} has ${dataset.channels} x ${dataset.height} x ${dataset.width} and ${dataset.classes}.`,
    );
  }
}

const outOfOrder = (sentence: string): GradscopeError => new GradscopeError('internal', sentence);
