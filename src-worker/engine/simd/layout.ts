import { droppedBelow, keepFactor } from '../../../src-shared/model/dropout-mask';
import { sizeOf, type LayerPlan, type NetworkPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { Arena, Block } from './arena';
import * as fields from './fields';
import type { ParameterBlocks } from './machine';
import { findStages, type ConvolutionPool } from './stages';

/** One layer of one pass: its descriptor and the memory that the descriptor points at. */
export interface LayerBlocks {
  readonly layer: LayerPlan;
  readonly descriptor: Block;
  /** Null inside a stage until somebody looks. */
  output: Block | null;
  /** Null until the first backward pass, inside a stage until somebody looks. */
  error: Block | null;
  /** Max-pool only: of each output, which pixel of its input it was. */
  readonly argmax: Block | null;
  /** Dropout only. */
  readonly factors: Block | null;
  /** Whether the error of its output has many zeros: ReLU and dropout make them. */
  readonly sparse: boolean;
  /** Multiply-adds of one example, roughly. */
  readonly work: number;
}

/** Images as bytes, on their way into the pass. */
interface ImageBlocks {
  readonly descriptor: Block;
  /** (n, channels, height, width) */
  readonly bytes: Uint8Array;
  /** What each byte stands for. */
  readonly table: Float32Array;
}

/**
 * The memory of one pass, laid out once for the largest minibatch it has seen: activations channels last, errors, argmax,
 * dropout's factors, working memory, and for each layer a descriptor that says where all that is.
 */
export class PassLayout {
  readonly capacity: number;
  readonly input: Block;
  readonly images: ImageBlocks;
  readonly layers: readonly LayerBlocks[];
  readonly stages: ReadonlyMap<number, ConvolutionPool>;
  inputError: Block | null = null;
  readonly #plan: NetworkPlan;
  readonly #arena: Arena;
  readonly #blocks: Block[] = [];
  #backward = false;

  constructor(
    plan: NetworkPlan,
    capacity: number,
    arena: Arena,
    threads: number,
    parameters: (layer: LayerPlan) => readonly [weight: ParameterBlocks, bias: ParameterBlocks],
  ) {
    this.capacity = capacity;
    this.#plan = plan;
    this.#arena = arena;
    this.stages = findStages(plan);
    this.input = this.#allocate(capacity * sizeOf(plan.spec.input));
    this.images = this.#createImages(plan.spec.input);
    const scratchStride = Math.max(64, ...plan.layers.map((layer) => scratchBytes(layer, capacity)));
    const scratch = this.#allocate((scratchStride / 4) * threads);
    this.layers = plan.layers.map((layer) => this.#createLayer(layer));
    for (const blocks of this.layers) {
      this.#describe(blocks, {
        [fields.SCRATCH]: scratch.address,
        [fields.SCRATCH_STRIDE]: scratchStride,
        ...extents(blocks.layer),
      });
      const { argmax, factors, descriptor } = blocks;
      const { spec } = blocks.layer;
      if (spec.kind === 'dropout') {
        descriptor.words[fields.DRAW_LAYER] = blocks.layer.index;
        descriptor.words[fields.DROPPED_BELOW] = droppedBelow(spec.rate);
        descriptor.floats[fields.KEEP_FACTOR] = keepFactor(spec.rate);
      }
      if (spec.kind === 'leakyRelu') descriptor.floats[fields.SLOPE] = spec.slope;
      if (argmax !== null) this.#describe(blocks, { [fields.ARGMAX]: argmax.address });
      if (factors !== null) this.#describe(blocks, { [fields.FACTORS]: factors.address });
      if (blocks.layer.parameters.length > 0) this.#describeParameters(blocks, parameters(blocks.layer));
    }
    const first = this.layers[0];
    if (first !== undefined) this.#describe(first, { [fields.INPUT]: this.input.address });
    for (const { layer } of this.layers) if (!this.isInside(layer)) this.output(layer);
    for (const blocks of this.layers) {
      if (blocks.layer.spec.kind === 'conv2d') this.#describeConvolution(blocks);
    }
  }

  /** Whether the layer's output and error are computed for those alone who look at them. */
  isInside(layer: LayerPlan): boolean {
    const stage = this.stages.get(layer.index);
    return stage !== undefined && stage.last !== layer;
  }

  of(layer: LayerPlan): LayerBlocks {
    const found = this.layers[layer.index];
    if (found === undefined) throw new GradscopeError('internal', `There is no layer ${layer.index}.`);
    return found;
  }

  /** Makes room for it where there is none yet. */
  output(layer: LayerPlan): Block {
    const blocks = this.of(layer);
    if (blocks.output !== null) return blocks.output;
    const output = this.#allocate(this.capacity * sizeOf(layer.outputShape));
    blocks.output = output;
    this.#describe(blocks, { [fields.OUTPUT]: output.address });
    const next = this.layers[layer.index + 1];
    if (next !== undefined) this.#describe(next, { [fields.INPUT]: output.address });
    const stage = this.stages.get(layer.index);
    if (stage?.last === layer) {
      this.#describe(this.of(stage.convolution), { [fields.POOL_OUTPUT]: output.address });
    }
    return output;
  }

  /** Makes room for it where there is none yet. */
  error(layer: LayerPlan): Block {
    const blocks = this.of(layer);
    if (blocks.error !== null) return blocks.error;
    const error = this.#allocate(this.capacity * sizeOf(layer.outputShape));
    blocks.error = error;
    this.#describe(blocks, { [fields.OUTPUT_ERROR]: error.address });
    const next = this.layers[layer.index + 1];
    if (next !== undefined) this.#describe(next, { [fields.INPUT_ERROR]: error.address });
    const stage = this.stages.get(layer.index);
    if (stage?.last === layer) {
      this.#describe(this.of(stage.convolution), { [fields.POOL_ERROR]: error.address });
    }
    return error;
  }

  /** dL/d image; of no use to training. */
  errorOfImages(): Block {
    const first = this.layers[0];
    if (first === undefined) throw new GradscopeError('internal', 'The network has no layers.');
    this.inputError ??= this.#allocate(this.capacity * sizeOf(this.#plan.spec.input));
    this.#describe(first, { [fields.INPUT_ERROR]: this.inputError.address });
    return this.inputError;
  }

  /** What only the way back needs; a pass that only tests has none of it. */
  prepareBackward(): void {
    if (this.#backward) return;
    this.#backward = true;
    for (const blocks of this.layers) {
      const { layer } = blocks;
      if (!this.isInside(layer)) this.error(layer);
      if (layer.spec.kind !== 'conv2d') continue;
      const { filters, channels, side, places } = convolutionExtents(layer);
      const filled = filledUp(places);
      this.#describe(blocks, {
        [fields.GRADIENT_ROWS]: this.#allocate(filledUp(filters) * side * filled).address,
        [fields.TURNED_FILTER]: this.#allocate(side * side * filters * filledUp(channels)).address,
        [fields.NO_BIAS]: this.#allocate(filledUp(channels)).address,
      });
      const stage = this.stages.get(layer.index);
      if (stage !== undefined) this.#describeList(blocks, stage);
    }
  }

  setExamples(n: number): void {
    for (const { descriptor } of this.layers) descriptor.words[fields.EXAMPLES] = n;
  }

  dispose(): void {
    for (const block of this.#blocks) this.#arena.free(block);
    this.#blocks.length = 0;
  }

  #createImages(shape: readonly number[]): ImageBlocks {
    const size = sizeOf(shape);
    const descriptor = this.#allocate(fields.DESCRIPTOR_WORDS);
    const { words } = this.#allocate(Math.ceil((this.capacity * size) / 4));
    const table = this.#allocate(256);
    const { channels, pixels } = imageExtents(shape);
    descriptor.words[fields.INPUT] = words.byteOffset;
    descriptor.words[fields.OUTPUT] = this.input.address;
    descriptor.words[fields.WEIGHT] = table.address;
    descriptor.words[fields.CHANNELS] = channels;
    descriptor.words[fields.INPUT_SIZE] = size;
    descriptor.words[fields.WIDTH] = pixels;
    return {
      descriptor,
      bytes: new Uint8Array(words.buffer, words.byteOffset, this.capacity * size),
      table: table.floats,
    };
  }

  #createLayer(layer: LayerPlan): LayerBlocks {
    const { spec, outputShape } = layer;
    const size = this.capacity * sizeOf(outputShape);
    const factors =
      spec.kind === 'dropout' && spec.unit === 'channel' ? this.capacity * outputShape[0]! : size;
    return {
      layer,
      descriptor: this.#allocate(fields.DESCRIPTOR_WORDS),
      output: null,
      error: null,
      argmax: spec.kind === 'maxPool2d' ? this.#allocate(size) : null,
      factors: spec.kind === 'dropout' ? this.#allocate(factors) : null,
      sparse: this.#plan.layers[layer.index + 1]?.spec.kind === 'relu' || isDropout(this.#plan, layer),
      work: workOf(layer),
    };
  }

  #describeParameters(
    blocks: LayerBlocks,
    [weight, bias]: readonly [weight: ParameterBlocks, bias: ParameterBlocks],
  ): void {
    this.#describe(blocks, {
      [fields.WEIGHT]: weight.weight.address,
      [fields.BIAS]: bias.weight.address,
      [fields.WEIGHT_GRADIENT]: weight.gradient.address,
      [fields.BIAS_GRADIENT]: bias.gradient.address,
    });
  }

  #describeConvolution(blocks: LayerBlocks): void {
    const { layer } = blocks;
    const { filters, channels, side, places, padding, height, width } = convolutionExtents(layer);
    const before = this.layers[layer.index - 1];
    const sourceHeight = height + 2 * padding;
    const sourceWidth = width + 2 * padding;
    const input = before === undefined ? this.input : this.output(before.layer);
    const source =
      padding === 0 ? input : this.#allocate(this.capacity * sourceHeight * sourceWidth * channels);
    this.#describe(blocks, {
      [fields.SOURCE]: source.address,
      [fields.SOURCE_HEIGHT]: sourceHeight,
      [fields.SOURCE_WIDTH]: sourceWidth,
      [fields.FILTER]: this.#allocate(side * places * filledUp(filters)).address,
      [fields.FILTER_BIAS]: this.#allocate(filledUp(filters)).address,
    });
    const stage = this.stages.get(layer.index);
    if (stage === undefined) return;
    const [, poolHeight = 1, poolWidth = 1] = stage.pool.outputShape;
    this.#describe(blocks, {
      [fields.ARGMAX]: this.of(stage.pool).argmax?.address ?? 0,
      [fields.POOL_HEIGHT]: poolHeight,
      [fields.POOL_WIDTH]: poolWidth,
      [fields.RELU_PLACE]: stage.reluPlace,
      [fields.INPUT_MAGNITUDES]: this.#allocate(this.capacity).address,
      [fields.FACTORS]: stage.dropout === null ? 0 : (this.of(stage.dropout).factors?.address ?? 0),
      [fields.DROPOUT]: stage.dropout === null ? 0 : this.of(stage.dropout).descriptor.address,
    });
  }

  #describeList(blocks: LayerBlocks, stage: ConvolutionPool): void {
    const { filters, channels, side, places, padding, stride, width } = convolutionExtents(blocks.layer);
    const [, outHeight = 1, outWidth = 1] = blocks.layer.outputShape;
    const [, poolHeight = 1, poolWidth = 1] = stage.pool.outputShape;
    const patches = this.#allocate(outHeight * outWidth);
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        const pixel = y * stride * (width + 2 * padding) + x * stride;
        patches.words[y * outWidth + x] = pixel * channels * 4;
      }
    }
    this.#describe(blocks, {
      [fields.FILTER_ROWS]: this.#allocate(filters * side * filledUp(places)).address,
      [fields.LIST]: this.#allocate(this.capacity * filters * poolHeight * poolWidth * 2).address,
      [fields.ERROR_MAGNITUDES]: this.#allocate(this.capacity).address,
      [fields.LIST_COUNTS]: this.#allocate(this.capacity * filters).address,
      [fields.PATCHES]: patches.address,
    });
  }

  #describe({ descriptor }: LayerBlocks, settings: Readonly<Record<number, number>>): void {
    for (const [field, value] of Object.entries(settings)) descriptor.words[Number(field)] = value;
  }

  #allocate(count: number): Block {
    const block = this.#arena.allocate(count);
    this.#blocks.push(block);
    return block;
  }
}

const isDropout = ({ layers }: NetworkPlan, { index }: LayerPlan): boolean =>
  layers[index + 1]?.spec.kind === 'dropout';

const filledUp = (count: number): number => Math.ceil(count / 4) * 4;

/** A row is an image of one pixel: its values stand in the same order in either layout. */
export function imageExtents(shape: readonly number[]): {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: number;
} {
  const [channels = 1, height = 1, width = 1] = shape;
  return { channels, height, width, pixels: height * width };
}

interface ConvolutionExtents {
  readonly filters: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly side: number;
  readonly stride: number;
  readonly padding: number;
  /** Values in a row of the kernel: side x channels. */
  readonly places: number;
}

function convolutionExtents({ spec, inputShape }: LayerPlan): ConvolutionExtents {
  if (spec.kind !== 'conv2d') throw new GradscopeError('internal', `${spec.name} is no convolution.`);
  const { channels, height, width } = imageExtents(inputShape);
  const { filters, kernelSize: side, stride, padding } = spec;
  return { filters, channels, height, width, side, stride, padding, places: side * channels };
}

function extents({ spec, inputShape, outputShape }: LayerPlan): Readonly<Record<number, number>> {
  const input = imageExtents(inputShape);
  const output = imageExtents(outputShape);
  const shape = {
    [fields.INPUT_SIZE]: sizeOf(inputShape),
    [fields.OUTPUT_SIZE]: sizeOf(outputShape),
    [fields.HEIGHT]: input.height,
    [fields.WIDTH]: input.width,
    [fields.CHANNELS]: input.channels,
    [fields.OUT_HEIGHT]: output.height,
    [fields.OUT_WIDTH]: output.width,
    [fields.OUT_CHANNELS]: output.channels,
  };
  switch (spec.kind) {
    case 'conv2d':
    case 'maxPool2d':
    case 'averagePool2d': {
      const side = spec.kind === 'conv2d' ? spec.kernelSize : spec.size;
      return { ...shape, [fields.SIDE]: side, [fields.STRIDE]: spec.stride, [fields.PADDING]: spec.padding };
    }
    case 'dropout':
      return { ...shape, [fields.FACTORS_BY_CHANNEL]: spec.unit === 'channel' ? output.channels : 0 };
    case 'relu':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh':
    case 'flatten':
    case 'dense':
      return shape;
  }
}

/** What one thread needs for one item: of a dense layer a list of errors, of a convolution an image, whichever way it goes. */
function scratchBytes(layer: LayerPlan, examples: number): number {
  if (layer.spec.kind === 'dense')
    return Math.ceil((Math.max(layer.spec.units, examples) * 8 + 64) / 64) * 64;
  if (layer.spec.kind !== 'conv2d') return 0;
  const { filters, channels, side, padding, places, height, width } = convolutionExtents(layer);
  const [, outHeight = 1, outWidth = 1] = layer.outputShape;
  const [sourceHeight, sourceWidth] = [height + 2 * padding, width + 2 * padding];
  const source = sourceHeight * sourceWidth * channels;
  const spread = (sourceHeight + side - 1) * (sourceWidth + side - 1) * filters;
  const windows = Math.floor(outHeight / 2) * Math.floor(outWidth / 2);
  const kept = filledUp(filters) * (3 + side * places) + 2 * windows * filters;
  // To whole cache lines, and some vectors that may be read behind the end.
  return Math.ceil((Math.max(source, spread, kept) * 4 + 256) / 64) * 64;
}

function workOf({ spec, inputShape, outputShape }: LayerPlan): number {
  const outputs = sizeOf(outputShape);
  switch (spec.kind) {
    case 'conv2d':
      return outputs * spec.kernelSize ** 2 * (inputShape[0] ?? 1);
    case 'dense':
      return outputs * sizeOf(inputShape);
    case 'maxPool2d':
    case 'averagePool2d':
      return outputs * spec.size ** 2;
    case 'sigmoid':
    case 'tanh':
      return outputs * 10;
    case 'relu':
    case 'leakyRelu':
    case 'dropout':
    case 'flatten':
      return outputs;
  }
}
