import { z } from 'zod';
import { listOf } from '../json/list-of';
import { GradscopeError } from '../protocol/errors';
import { nameSchema } from '../text/name';

/** Pixels from one window to the next, the same way along rows and columns. */
const stride = z.int().positive();
/** Pixels added on each of the four sides: zeros, but -infinity for a max-pool. */
const padding = z.int().min(0);
const name = nameSchema;
/** Far more than a chain of layers that can be looked at. */
const MOST_LAYERS = 1000;

/**
 * A network as data: a chain of layers. Shapes are those of one example, in PyTorch's order (channels, height, width);
 * the minibatch axis comes first and is left out here. Kernels and windows are square; along either side there are
 * floor((extent + 2 padding - size) / stride) + 1 of them, so what is left over at the end is not looked at.
 */
export const layerSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('conv2d'),
    name,
    filters: z.int().positive(),
    kernelSize: z.int().positive(),
    stride,
    padding,
  }),
  /** padding <= size / 2, so that every window has a value in it. */
  z.strictObject({ kind: z.literal('maxPool2d'), name, size: z.int().positive(), stride, padding }),
  /** Sum of the window / size^2: zeros of the padding count, as PyTorch's count_include_pad. padding <= size / 2. */
  z.strictObject({ kind: z.literal('averagePool2d'), name, size: z.int().positive(), stride, padding }),
  /** x > 0 ? x : 0 */
  z.strictObject({ kind: z.literal('relu'), name }),
  /** x > 0 ? x : slope x */
  z.strictObject({ kind: z.literal('leakyRelu'), name, slope: z.number().min(0) }),
  /** 1 / (1 + exp(-x)) */
  z.strictObject({ kind: z.literal('sigmoid'), name }),
  z.strictObject({ kind: z.literal('tanh'), name }),
  z.strictObject({
    kind: z.literal('dropout'),
    name,
    /** Probability of dropping, 0 <= rate < 1. Kept values are divided by 1 - rate, so nothing is scaled at test time. */
    rate: z.number().min(0).lt(1),
    /** `channel` drops whole feature maps (PyTorch's Dropout2d), `element` single values. */
    unit: z.enum(['channel', 'element']),
  }),
  /** (channels, height, width) -> (channels * height * width), channel first, whatever an engine holds inside. */
  z.strictObject({ kind: z.literal('flatten'), name }),
  z.strictObject({ kind: z.literal('dense'), name, units: z.int().positive() }),
]);

export type LayerSpec = z.infer<typeof layerSpecSchema>;
export type LayerKind = LayerSpec['kind'];
export type LayerSpecOf<K extends LayerKind> = Extract<LayerSpec, { kind: K }>;

export const networkSpecSchema = z.strictObject({
  /** (channels, height, width) of one image. */
  input: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  layers: listOf(layerSpecSchema, { least: 1, most: MOST_LAYERS }),
  /**
   * What is applied to the output of the last layer (z, the logits), as a mean over the minibatch:
   * `softmaxCrossEntropy`: -log softmax(z)[label].
   * `softmaxOfSoftmaxCrossEntropy`: -log softmax(softmax(z))[label], what comes of handing probabilities to a loss that
   *   expects logits. The network's probabilities are softmax(z) here too.
   */
  loss: z.enum(['softmaxCrossEntropy', 'softmaxOfSoftmaxCrossEntropy']),
});

export type NetworkSpec = z.infer<typeof networkSpecSchema>;

/** A parameter in PyTorch's layout: conv weight (out, in, height, width), dense weight (out, in), bias (out). */
export interface ParameterPlan {
  /** `conv1.weight`, `conv1.bias`, ... */
  readonly name: string;
  readonly role: 'weight' | 'bias';
  readonly layerIndex: number;
  readonly shape: readonly number[];
  readonly size: number;
  /** Number of inputs that reach one output unit; initialisers need it. */
  readonly fanIn: number;
  readonly fanOut: number;
}

export interface LayerPlan {
  readonly index: number;
  readonly spec: LayerSpec;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly parameters: readonly ParameterPlan[];
}

/** A network with every shape worked out; all sides build it from the same spec and so agree. */
export interface NetworkPlan {
  readonly spec: NetworkSpec;
  readonly layers: readonly LayerPlan[];
  /** In network order, weight before bias: the order of safetensors files and of weightsSha256. */
  readonly parameters: readonly ParameterPlan[];
  readonly parameterCount: number;
  readonly classes: number;
}

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

/** @throws GradscopeError `bad-config` naming the layer whose shapes do not fit. */
export function planNetwork(spec: NetworkSpec): NetworkPlan {
  const layers: LayerPlan[] = [];
  const names = new Set<string>();
  let shape: readonly number[] = spec.input;
  spec.layers.forEach((layer, index) => {
    if (names.has(layer.name)) throw new GradscopeError('bad-config', `Two layers are called ${layer.name}.`);
    names.add(layer.name);
    const outputShape = outputShapeOf(layer, shape);
    layers.push({
      index,
      spec: layer,
      inputShape: shape,
      outputShape,
      parameters: parametersOf(layer, index, shape),
    });
    shape = outputShape;
  });
  if (shape.length !== 1) {
    throw new GradscopeError(
      'bad-config',
      `The last layer should give one row of logits, but gives ${describe(shape)}.`,
    );
  }
  const parameters = layers.flatMap((layer) => layer.parameters);
  return {
    spec,
    layers,
    parameters,
    parameterCount: parameters.reduce((sum, parameter) => sum + parameter.size, 0),
    classes: sizeOf(shape),
  };
}

function outputShapeOf(layer: LayerSpec, input: readonly number[]): readonly number[] {
  switch (layer.kind) {
    case 'conv2d': {
      const [, height, width] = spatial(layer, input);
      return [layer.filters, ...windowsOf(layer, layer.kernelSize, [height, width])];
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const [channels, height, width] = spatial(layer, input);
      if (layer.padding > layer.size / 2) {
        throw new GradscopeError(
          'bad-config',
          `Layer ${layer.name} (${layer.kind}) has a padding of ${layer.padding}, more than half its window of ${layer.size}.`,
        );
      }
      return [channels, ...windowsOf(layer, layer.size, [height, width])];
    }
    case 'relu':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh':
    case 'dropout':
      return input;
    case 'flatten':
      return [sizeOf(input)];
    case 'dense':
      if (input.length !== 1) throw doesNotFit(layer, input, 'it takes one row of values');
      return [layer.units];
  }
}

/** How many windows there are along each side. */
function windowsOf(
  layer: LayerSpecOf<'conv2d' | 'maxPool2d' | 'averagePool2d'>,
  size: number,
  sides: readonly [height: number, width: number],
): number[] {
  return sides.map((extent) => {
    const padded = extent + 2 * layer.padding;
    if (size > padded) {
      const found = layer.padding === 0 ? `${extent}` : `${extent}, with its padding ${padded}`;
      throw new GradscopeError(
        'bad-config',
        `Layer ${layer.name} (${layer.kind}) has a window of ${size} x ${size}, but its input a side of only ${found}.`,
      );
    }
    return Math.floor((padded - size) / layer.stride) + 1;
  });
}

function parametersOf(layer: LayerSpec, layerIndex: number, input: readonly number[]): ParameterPlan[] {
  if (layer.kind !== 'conv2d' && layer.kind !== 'dense') return [];
  const inputs = input[0] ?? 0;
  const outputs = layer.kind === 'conv2d' ? layer.filters : layer.units;
  const receptiveField = layer.kind === 'conv2d' ? layer.kernelSize ** 2 : 1;
  const shape =
    layer.kind === 'conv2d' ? [outputs, inputs, layer.kernelSize, layer.kernelSize] : [outputs, inputs];
  const fans = { fanIn: inputs * receptiveField, fanOut: outputs * receptiveField };
  return [
    { name: `${layer.name}.weight`, role: 'weight', layerIndex, shape, size: sizeOf(shape), ...fans },
    { name: `${layer.name}.bias`, role: 'bias', layerIndex, shape: [outputs], size: outputs, ...fans },
  ];
}

function spatial(layer: LayerSpec, shape: readonly number[]): [number, number, number] {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || channels === undefined || height === undefined || width === undefined) {
    throw doesNotFit(layer, shape, 'it takes channels x height x width');
  }
  return [channels, height, width];
}

const describe = (shape: readonly number[]): string => shape.join(' x ');

const doesNotFit = (layer: LayerSpec, shape: readonly number[], why: string): GradscopeError =>
  new GradscopeError(
    'bad-config',
    `Layer ${layer.name} (${layer.kind}) cannot take an input of ${describe(shape)}: ${why}.`,
  );
