import * as tf from '@tensorflow/tfjs-core';
import { sizeOf, type LayerPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { ForwardContext, Pass, PassTensors } from '../engine';
import { checkBytes } from '../kernels/bytes';
import { toChannelsFirst, toChannelsLast } from '../kernels/layout';
import { LOSS_KERNELS } from '../kernels/loss';
import type { Block } from './arena';
import * as fields from './fields';
import { FORWARD, INPUT_ERROR, itemsOf } from './layer-kernels';
import { imageExtents, PassLayout, type LayerBlocks } from './layout';
import type { PassOwner, SimdMachine } from './machine';
import type { ConvolutionPool } from './stages';

/** A byte on its way through a table takes as long as so many multiply-adds. */
const WORK_OF_A_BYTE = 12;

/** About as many errors are not 0 behind a pool, ReLU and dropout. */
const LEFT_OF_ERRORS = 1 / 8;

/** One minibatch, in the memory of a PassLayout. */
interface Loaded {
  readonly n: number;
  readonly layout: PassLayout;
  readonly labels: Uint8Array;
  readonly probabilities: Float32Array;
}

/**
 * One minibatch, layer by layer. Layers of a stage (see stages.ts) are computed together when its last is reached, and on the
 * way back when its first is; what is between them is computed by itself, with the same bits, when somebody reads it.
 *
 * Weights are brought into the order of the kernels when the forward pass begins, so all of a minibatch is of the same.
 */
export class SimdPass implements Pass {
  readonly tensors: PassTensors;
  readonly #network: PassOwner;
  readonly #machine: SimdMachine;
  readonly #onDispose: (pass: SimdPass) => void;
  readonly #carriers = new Map<Block, tf.Tensor>();
  /** By layer with parameters, of the weights that the pass goes through; for a convolution also of its input. */
  readonly #weightMagnitudes = new Map<number, number>();
  readonly #inputMagnitudes = new Map<number, number>();
  /** Which packings for the way back hold the weights of this minibatch. */
  readonly #packedBack = { packTurned: new Set<Block>(), packRows: new Set<Block>() };
  #loaded: Loaded | null = null;
  #packedVersion = -1;
  #nextForward = 0;
  /** The layer whose backward pass comes next, -1 after the first layer's; null before the loss, when no error is known. */
  #nextBackward: number | null = null;
  /** Inside stages: up to which layer outputs, and from which on errors, were computed for somebody who looked. */
  readonly #shownOutputs = new Set<number>();
  readonly #shownErrors = new Set<number>();

  constructor(network: PassOwner, machine: SimdMachine, onDispose: (pass: SimdPass) => void) {
    this.#network = network;
    this.#machine = machine;
    this.#onDispose = onDispose;
    this.tensors = {
      input: () => this.#carrier(this.#minibatch().layout.input, network.plan.spec.input),
      output: (layer) => {
        this.#checkOutputKnown(layer);
        return this.#carrier(this.#minibatch().layout.output(layer), layer.outputShape);
      },
      error: (layer) => {
        this.#checkErrorKnown(layer);
        return this.#carrier(this.#minibatch().layout.error(layer), layer.outputShape);
      },
      inputError: () => this.#carrier(this.#minibatch().layout.errorOfImages(), network.plan.spec.input),
    };
  }

  load(images: Float32Array, labels: Uint8Array, n: number): void {
    const { plan } = this.#network;
    const { channels, pixels } = imageExtents(plan.spec.input);
    if (n < 1 || images.length !== n * channels * pixels || labels.length !== n) {
      throw new GradscopeError(
        'internal',
        `A minibatch of ${n} has ${n * channels * pixels} pixel values and ${n} labels, ` +
          `but ${images.length} and ${labels.length} were given.`,
      );
    }
    const { layout } = this.#prepare(n);
    toChannelsLast(n, channels, pixels, images, layout.input.floats.subarray(0, images.length));
    this.#begin(labels);
  }

  loadBytes(pixels: Uint8Array, indices: ArrayLike<number>, table: Float32Array, labels: Uint8Array): void {
    const size = sizeOf(this.#network.plan.spec.input);
    const n = indices.length;
    checkBytes(pixels, indices, size, table, labels);
    const { images } = this.#prepare(n).layout;
    images.table.set(table);
    for (let i = 0; i < n; i++) {
      const from = indices[i]! * size;
      images.bytes.set(pixels.subarray(from, from + size), i * size);
    }
    this.#machine.pool.run(fields.PIXELS, images.descriptor.address, n, n * size * WORK_OF_A_BYTE);
    this.#begin(labels);
  }

  forward(layer: LayerPlan, context: ForwardContext): void {
    const { layout } = this.#minibatch();
    if (layer.index !== this.#nextForward) throw this.#outOfOrder(`forward pass of ${layer.spec.name}`);
    if (layer.index === 0) this.#pack();
    const blocks = layout.of(layer);
    if (layer.spec.kind === 'dropout') this.#takeFactors(blocks, context);
    const stage = layout.stages.get(layer.index);
    if (stage === undefined) this.#runForward(blocks);
    else if (stage.last === layer) this.#runStage(layout, stage);
    this.#nextForward = layer.index + 1;
  }

  loss(): { readonly loss: number; readonly correct: number } {
    const { n, layout, labels, probabilities } = this.#minibatch();
    const last = this.#lastLayer('loss');
    layout.prepareBackward();
    const count = n * this.#network.plan.classes;
    const result = LOSS_KERNELS[this.#network.plan.spec.loss](
      layout.output(last).floats.subarray(0, count),
      labels,
      probabilities,
      layout.error(last).floats.subarray(0, count),
    );
    this.#shownErrors.clear();
    this.#nextBackward = last.index;
    return result;
  }

  score(ofClass: number): void {
    const { n, layout } = this.#minibatch();
    const last = this.#lastLayer('score');
    layout.prepareBackward();
    const { classes } = this.#network.plan;
    const error = layout.error(last).floats.subarray(0, n * classes);
    error.fill(0);
    for (let row = 0; row < n; row++) error[row * classes + ofClass] = 1;
    this.#shownErrors.clear();
    this.#nextBackward = last.index;
  }

  backward(layer: LayerPlan, { parameters }: { readonly parameters: boolean }): void {
    const { layout } = this.#minibatch();
    if (layer.index !== this.#nextBackward) throw this.#outOfOrder(`backward pass of ${layer.spec.name}`);
    const stage = layout.stages.get(layer.index);
    const input = layer.index > 0;
    if (stage === undefined) {
      const blocks = layout.of(layer);
      if (!parameters || !input || !this.#runBothSparse(blocks)) {
        if (parameters) this.#runGradient(blocks);
        if (input) this.#runInputError(blocks);
      }
    } else if (stage.convolution === layer) {
      this.#runStageBack(layout, stage, { parameters, input });
    }
    this.#nextBackward = layer.index - 1;
  }

  readOutput(layer: LayerPlan, target: Float32Array): void {
    this.#checkOutputKnown(layer);
    this.#showOutput(layer);
    this.#copyChannelsFirst(layer.outputShape, this.#minibatch().layout.output(layer), target);
  }

  readError(layer: LayerPlan, target: Float32Array): void {
    this.#checkErrorKnown(layer);
    this.#showError(layer);
    this.#copyChannelsFirst(layer.outputShape, this.#minibatch().layout.error(layer), target);
  }

  readInputError(target: Float32Array): void {
    const { layout } = this.#minibatch();
    const first = this.#network.plan.layers[0];
    if (first === undefined || this.#nextBackward !== -1)
      throw this.#outOfOrder('reading of the input error');
    const inputError = layout.errorOfImages();
    const stage = layout.stages.get(first.index);
    if (stage === undefined) this.#runInputError(layout.of(first));
    else this.#runStageBack(layout, stage, { parameters: false, input: true });
    this.#copyChannelsFirst(this.#network.plan.spec.input, inputError, target);
  }

  readProbabilities(target: Float32Array): void {
    const { probabilities } = this.#minibatch();
    if (this.#nextBackward === null) throw this.#outOfOrder('reading of probabilities');
    checkLength(target, probabilities.length);
    target.set(probabilities);
  }

  dispose(): void {
    this.#freeCarriers();
    this.#loaded?.layout.dispose();
    this.#loaded = null;
    this.#onDispose(this);
  }

  /** The images are there; nothing is computed of them. */
  #begin(labels: Uint8Array): void {
    this.#minibatch().labels.set(labels);
    this.#nextForward = 0;
    this.#nextBackward = null;
    this.#shownOutputs.clear();
    this.#shownErrors.clear();
  }

  /** The memory for `n` examples: what is there if it is large enough. */
  #prepare(n: number): Loaded {
    const before = this.#loaded;
    if (before?.n === n) return before;
    this.#freeCarriers();
    let layout = before?.layout;
    if (layout === undefined || layout.capacity < n) {
      layout?.dispose();
      const { arena, pool } = this.#machine;
      this.#loaded = null;
      layout = new PassLayout(this.#network.plan, n, arena, pool.most, (layer) =>
        this.#network.parametersOf(layer),
      );
      this.#packedVersion = -1;
    }
    layout.setExamples(n);
    this.#loaded = {
      n,
      layout,
      labels: new Uint8Array(n),
      probabilities: new Float32Array(n * this.#network.plan.classes),
    };
    return this.#loaded;
  }

  /** Brings the weights of convolutions into the order of the kernels, if they changed since the last time. */
  #pack(): void {
    const { layout } = this.#minibatch();
    const { kernels } = this.#machine;
    if (this.#packedVersion === this.#network.version) return;
    this.#packedVersion = this.#network.version;
    this.#packedBack.packTurned.clear();
    this.#packedBack.packRows.clear();
    for (const { layer, descriptor } of layout.layers) {
      if (layer.parameters.length === 0) continue;
      if (layer.spec.kind === 'conv2d') kernels.packConvolution(descriptor.address);
      const [weight] = this.#network.parametersOf(layer);
      this.#weightMagnitudes.set(
        layer.index,
        kernels.largestMagnitude(weight.weight.address, weight.weight.floats.length),
      );
    }
  }

  #runForward({ layer, descriptor, work }: LayerBlocks): void {
    const { n } = this.#minibatch();
    const { kind } = layer.spec;
    const kernel = this.#mindsPadding(layer) ? fields.EXACT_CONVOLUTION : FORWARD[kind];
    this.#machine.pool.run(kernel, descriptor.address, itemsOf(kind, n), work * n);
  }

  /** Whether 0 of the padding times a weight may be NaN. */
  #mindsPadding(layer: LayerPlan): boolean {
    return layer.spec.kind === 'conv2d' && layer.spec.padding > 0 && !this.#hasFiniteWeights(layer);
  }

  #runStage(layout: PassLayout, { convolution, dropout, reluPlace, last }: ConvolutionPool): void {
    const { n } = this.#minibatch();
    if (this.#mindsPadding(convolution)) {
      this.#inputMagnitudes.set(convolution.index, NaN);
      for (const layer of this.#network.plan.layers.slice(convolution.index, last.index + 1)) {
        layout.output(layer);
        this.#runForward(layout.of(layer));
        this.#shownOutputs.add(layer.index);
      }
      return;
    }
    const { descriptor, work } = layout.of(convolution);
    const { words, floats } = descriptor;
    const { kernels, pool } = this.#machine;
    const dropping = dropout !== null && layout.of(dropout).descriptor.words[fields.FACTORS_ON] === 1;
    words[fields.FACTORS_ON] = dropping ? 1 : 0;
    const weight = this.#weightMagnitudes.get(convolution.index) ?? NaN;
    // Without ReLU a dropped channel may be -0.
    floats[fields.SUM_FACTOR] = reluPlace === 0 ? NaN : weight * sizeOf(convolution.inputShape);
    floats[fields.SUM_ADDEND] = kernels.largestMagnitude(
      words[fields.FILTER_BIAS]!,
      words[fields.OUT_CHANNELS]!,
    );
    pool.run(fields.CONVOLUTION_POOL, descriptor.address, n, work * n);
    this.#inputMagnitudes.set(
      convolution.index,
      kernels.largestMagnitude(words[fields.INPUT_MAGNITUDES]!, n),
    );
  }

  #runGradient({ layer, descriptor, sparse, work }: LayerBlocks): void {
    const { n } = this.#minibatch();
    const { pool } = this.#machine;
    const { spec } = layer;
    if (spec.kind === 'conv2d') {
      const errors = fields.OUTPUT_ERROR;
      const exact = spec.padding > 0 && !this.#isFinite(descriptor, errors, layer.outputShape);
      const kernel = exact ? fields.EXACT_GRADIENT : fields.DENSE_GRADIENT;
      pool.run(kernel, descriptor.address, Math.ceil(spec.filters / 4), work * n);
    } else if (
      spec.kind === 'dense' &&
      sparse &&
      this.#isFinite(descriptor, fields.INPUT, layer.inputShape)
    ) {
      pool.run(fields.SPARSE_ROWS_GRADIENT, descriptor.address, spec.units, work * n * LEFT_OF_ERRORS);
    } else if (spec.kind === 'dense') {
      pool.run(fields.ROWS_GRADIENT, descriptor.address, Math.ceil(spec.units / 4), work * n);
    }
  }

  /** A dense layer's gradient and error of the input in one call, where both may go over the errors that are not 0. */
  #runBothSparse({ layer, descriptor, sparse, work }: LayerBlocks): boolean {
    if (layer.spec.kind !== 'dense' || !sparse || !this.#hasFiniteWeights(layer)) return false;
    if (!this.#isFinite(descriptor, fields.INPUT, layer.inputShape)) return false;
    const { n } = this.#minibatch();
    const items = layer.spec.units + n;
    this.#machine.pool.run(fields.SPARSE_ROWS_BACK, descriptor.address, items, 2 * work * n * LEFT_OF_ERRORS);
    return true;
  }

  #isFinite({ words }: Block, field: number, shape: readonly number[]): boolean {
    const count = this.#minibatch().n * sizeOf(shape);
    return this.#machine.kernels.largestMagnitude(words[field]!, count) < Infinity;
  }

  #runInputError({ layer, descriptor, sparse, work }: LayerBlocks): void {
    const { n } = this.#minibatch();
    const { kind } = layer.spec;
    if (kind === 'dense' && sparse && this.#hasFiniteWeights(layer)) {
      const { pool } = this.#machine;
      pool.run(fields.SPARSE_ROWS_INPUT_ERROR, descriptor.address, n, work * n * LEFT_OF_ERRORS);
      return;
    }
    let kernel = INPUT_ERROR[kind];
    if (kind === 'conv2d') {
      if (this.#hasFiniteWeights(layer)) this.#packBack('packTurned', descriptor);
      else kernel = fields.EXACT_INPUT_ERROR;
    }
    this.#machine.pool.run(kernel, descriptor.address, itemsOf(kind, n), work * n);
  }

  /** From the few errors that are not 0; from all of them where 0 times a weight or an activation may not be 0. */
  #runStageBack(
    layout: PassLayout,
    stage: ConvolutionPool,
    { parameters, input }: { readonly parameters: boolean; readonly input: boolean },
  ): void {
    const { n } = this.#minibatch();
    const { convolution } = stage;
    const blocks = layout.of(convolution);
    const { descriptor, work } = blocks;
    const listed = work * n * LEFT_OF_ERRORS;
    const { kernels, pool } = this.#machine;
    pool.run(fields.ERROR_LIST, descriptor.address, n, listed);
    const isFinite =
      this.#hasFiniteWeights(convolution) &&
      (this.#inputMagnitudes.get(convolution.index) ?? NaN) < Infinity &&
      kernels.largestMagnitude(descriptor.words[fields.ERROR_MAGNITUDES]!, n) < Infinity;
    if (!isFinite) {
      this.#showError(convolution);
      if (parameters) this.#runGradient(blocks);
      if (input) this.#runInputError(blocks);
      return;
    }
    if (input) this.#packBack('packRows', descriptor);
    const filters = convolution.outputShape[0] ?? 0;
    if (parameters && input) pool.run(fields.LISTED_BACK, descriptor.address, filters + n, 2 * listed, 1);
    else if (parameters) pool.run(fields.LISTED_GRADIENT, descriptor.address, filters, listed, 1);
    else if (input) pool.run(fields.LISTED_INPUT_ERROR, descriptor.address, n, listed);
  }

  /** A layer goes back over one of the two packings, which one depends on the numbers. */
  #packBack(packing: 'packTurned' | 'packRows', descriptor: Block): void {
    const packed = this.#packedBack[packing];
    if (packed.has(descriptor)) return;
    packed.add(descriptor);
    this.#machine.kernels[packing](descriptor.address);
  }

  #hasFiniteWeights(layer: LayerPlan): boolean {
    return (this.#weightMagnitudes.get(layer.index) ?? NaN) < Infinity;
  }

  /** Inside a stage: computes its layers one by one up to this one. */
  #showOutput(layer: LayerPlan): void {
    const { layout } = this.#minibatch();
    const stage = layout.stages.get(layer.index);
    if (stage === undefined || !layout.isInside(layer)) return;
    for (const each of this.#network.plan.layers.slice(stage.convolution.index, layer.index + 1)) {
      if (this.#shownOutputs.has(each.index)) continue;
      layout.output(each);
      this.#runForward(layout.of(each));
      this.#shownOutputs.add(each.index);
    }
  }

  /** Inside a stage: computes errors one by one from its last layer down to this one. */
  #showError(layer: LayerPlan): void {
    const { layout } = this.#minibatch();
    const stage = layout.stages.get(layer.index);
    if (stage === undefined || !layout.isInside(layer)) return;
    for (const each of this.#network.plan.layers.slice(layer.index + 1, stage.last.index + 1).reverse()) {
      if (this.#shownErrors.has(each.index)) continue;
      const before = this.#network.plan.layers[each.index - 1];
      if (before !== undefined) layout.error(before);
      if (each.spec.kind === 'relu') this.#showOutput(each);
      this.#runInputError(layout.of(each));
      this.#shownErrors.add(each.index);
    }
  }

  /** Those it is given; where it may, the kernels draw them when they come to an example. */
  #takeFactors({ layer, descriptor, factors }: LayerBlocks, context: ForwardContext): void {
    const { words } = descriptor;
    const { draw } = context;
    words[fields.DRAWS] = draw === undefined ? 0 : 1;
    if (draw !== undefined) {
      words[fields.FACTORS_ON] = 1;
      words[fields.DRAW_SEED] = draw.seed;
      words[fields.DRAW_STEP] = draw.step;
      return;
    }
    const mask = context.mask(layer);
    words[fields.FACTORS_ON] = mask === null ? 0 : 1;
    if (mask === null || factors === null || layer.spec.kind !== 'dropout') return;
    const { n } = this.#minibatch();
    const { channels, pixels } = imageExtents(layer.outputShape);
    const each = layer.spec.unit === 'channel' ? 1 : pixels;
    checkLength(mask, n * channels * each);
    toChannelsLast(n, channels, each, mask, factors.floats);
  }

  #copyChannelsFirst(shape: readonly number[], source: Block, target: Float32Array): void {
    const { n } = this.#minibatch();
    const { channels, pixels } = imageExtents(shape);
    checkLength(target, n * channels * pixels);
    toChannelsFirst(n, channels, pixels, source.floats.subarray(0, target.length), target);
  }

  /** A tfjs tensor on the block's memory, kept, so that the tf.tidy scopes in which fit() calls do not free it. */
  #carrier(block: Block, shape: readonly number[]): tf.Tensor {
    const known = this.#carriers.get(block);
    if (known !== undefined) return known;
    const { n } = this.#minibatch();
    const { channels, height, width } = imageExtents(shape);
    const held = shape.length === 3 ? [n, height, width, channels] : [n, ...shape];
    const carrier = tf.keep(tf.tensor(block.floats.subarray(0, n * sizeOf(shape)), held));
    this.#carriers.set(block, carrier);
    return carrier;
  }

  #freeCarriers(): void {
    for (const carrier of this.#carriers.values()) carrier.dispose();
    this.#carriers.clear();
  }

  #minibatch(): Loaded {
    if (this.#loaded === null) throw new GradscopeError('internal', 'The pass has no minibatch loaded.');
    return this.#loaded;
  }

  #lastLayer(what: string): LayerPlan {
    const last = this.#network.plan.layers.at(-1);
    if (last === undefined || this.#nextForward <= last.index) throw this.#outOfOrder(what);
    return last;
  }

  #checkOutputKnown(layer: LayerPlan): void {
    this.#minibatch();
    if (layer.index >= this.#nextForward)
      throw this.#outOfOrder(`reading of the output of ${layer.spec.name}`);
  }

  #checkErrorKnown(layer: LayerPlan): void {
    this.#minibatch();
    if (this.#nextBackward === null || layer.index < this.#nextBackward) {
      throw this.#outOfOrder(`reading of the error of ${layer.spec.name}`);
    }
  }

  #outOfOrder(what: string): GradscopeError {
    const stands = `${this.#nextForward} of ${this.#network.plan.layers.length} layers are forwarded`;
    const errors =
      this.#nextBackward === null
        ? 'the loss is not known'
        : `errors are known from layer ${Math.max(this.#nextBackward, 0)} on`;
    return new GradscopeError('internal', `The ${what} is out of order: ${stands} and ${errors}.`);
  }
}

function checkLength(values: Float32Array, expected: number): void {
  if (values.length !== expected) {
    throw new GradscopeError(
      'internal',
      `An array of ${expected} values is needed here, but one of ${values.length} was given.`,
    );
  }
}
