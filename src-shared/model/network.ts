import { z } from 'zod';
import { GradscopeError } from '../protocol/errors';

/**
 * A network as data: a chain of layers. Shapes are those of one example, in PyTorch's order (channels, height, width);
 * the minibatch axis comes first and is left out here.
 */
export const layerSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('conv2d'),
    name: z.string(),
    filters: z.int().positive(),
    kernelSize: z.int().positive(),
  }),
  z.strictObject({ kind: z.literal('maxPool2d'), name: z.string(), size: z.int().positive() }),
  z.strictObject({ kind: z.literal('relu'), name: z.string() }),
  z.strictObject({
    kind: z.literal('dropout'),
    name: z.string(),
    /** Probability of dropping, 0 <= rate < 1. Kept values are divided by 1 - rate, so nothing is scaled at test time. */
    rate: z.number().min(0).lt(1),
    /** `channel` drops whole feature maps (PyTorch's Dropout2d), `element` single values. */
    unit: z.enum(['channel', 'element']),
  }),
  /** (channels, height, width) -> (channels * height * width), channel first, whatever an engine holds inside. */
  z.strictObject({ kind: z.literal('flatten'), name: z.string() }),
  z.strictObject({ kind: z.literal('dense'), name: z.string(), units: z.int().positive() }),
]);

export type LayerSpec = z.infer<typeof layerSpecSchema>;

export const networkSpecSchema = z.strictObject({
  /** (channels, height, width) of one image. */
  input: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  layers: z.array(layerSpecSchema).min(1),
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
      const outHeight = height - layer.kernelSize + 1;
      const outWidth = width - layer.kernelSize + 1;
      if (outHeight < 1 || outWidth < 1) throw doesNotFit(layer, input);
      return [layer.filters, outHeight, outWidth];
    }
    case 'maxPool2d': {
      const [channels, height, width] = spatial(layer, input);
      const outHeight = Math.floor(height / layer.size);
      const outWidth = Math.floor(width / layer.size);
      if (outHeight < 1 || outWidth < 1) throw doesNotFit(layer, input);
      return [channels, outHeight, outWidth];
    }
    case 'relu':
    case 'dropout':
      return input;
    case 'flatten':
      return [sizeOf(input)];
    case 'dense':
      if (input.length !== 1) throw doesNotFit(layer, input);
      return [layer.units];
  }
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
    throw doesNotFit(layer, shape);
  }
  return [channels, height, width];
}

const describe = (shape: readonly number[]): string => shape.join(' x ');

const doesNotFit = (layer: LayerSpec, shape: readonly number[]): GradscopeError =>
  new GradscopeError(
    'bad-config',
    `Layer ${layer.name} (${layer.kind}) cannot take an input of ${describe(shape)}.`,
  );
