import * as tf from '@tensorflow/tfjs-core';
import {
  sizeOf,
  type LayerPlan,
  type LayerSpecOf,
  type NetworkPlan,
  type ParameterPlan,
} from '../../src-shared/model/network';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Arithmetic } from './arithmetic';
import type { ForwardContext, Pass, PassTensors, TensorView } from './engine';
import { checkBytes, lookUpBytes } from './kernels/bytes';
import { spreadFactors, toChannelsFirst, toChannelsLast } from './kernels/layout';
import * as activations from './kernels/activations';
import type { ConvolutionShape } from './kernels/layers';
import { LOSS_KERNELS } from './kernels/loss';
import * as pooling from './kernels/pooling';

/** Buffers for one minibatch size. An error's buffer is made when it is first needed: a pass that only tests has none. */
interface Buffers {
  readonly n: number;
  readonly input: tf.Tensor;
  readonly labels: Uint8Array;
  readonly probabilities: Float32Array;
  readonly layers: readonly LayerBuffers[];
  inputError: tf.Tensor | null;
}

interface LayerBuffers {
  readonly output: tf.Tensor;
  error: tf.Tensor | null;
  /** Max-pool only: where in the input each output came from. */
  readonly argmax: Int32Array;
  /** Dropout only: the factor of each output. */
  readonly factors: Float32Array;
  /** Dropout only: whether it was on in this pass. */
  dropping: boolean;
}

/**
 * One minibatch, layer by layer, in tensors that live as long as the minibatch size stays the same: each pass overwrites
 * them. Images are held channels last, (n, height, width, channels); what comes after flatten is channel first.
 *
 * The tensors are kept (tf.keep), so that the tf.tidy scopes in which fit() calls do not free them.
 */
export class TfjsPass implements Pass {
  readonly tensors: PassTensors;
  readonly #plan: NetworkPlan;
  readonly #parameters: TensorView;
  readonly #arithmetic: Arithmetic;
  readonly #onDispose: (pass: TfjsPass) => void;
  #buffers: Buffers | null = null;
  /** Of loadBytes(). */
  #images = new Float32Array(0);
  #nextForward = 0;
  /** The layer whose backward pass comes next, -1 after the first layer's; null before the loss, when no error is known. */
  #nextBackward: number | null = null;

  constructor(
    plan: NetworkPlan,
    parameters: TensorView,
    arithmetic: Arithmetic,
    onDispose: (pass: TfjsPass) => void,
  ) {
    this.#plan = plan;
    this.#parameters = parameters;
    this.#arithmetic = arithmetic;
    this.#onDispose = onDispose;
    this.tensors = {
      input: () => this.#loaded().input,
      output: (layer) => this.#knownOutput(layer),
      error: (layer) => this.#knownError(layer),
      inputError: () => this.#inputError(),
    };
  }

  load(images: Float32Array, labels: Uint8Array, n: number): void {
    const [channels, height, width] = this.#plan.spec.input;
    const pixels = height * width;
    if (n < 1 || images.length !== n * channels * pixels || labels.length !== n) {
      throw new GradscopeError(
        'internal',
        `A minibatch of ${n} has ${n * channels * pixels} pixel values and ${n} labels, ` +
          `but ${images.length} and ${labels.length} were given.`,
      );
    }
    if (this.#buffers?.n !== n) {
      this.#free();
      this.#buffers = createBuffers(this.#plan, n);
    }
    toChannelsLast(n, channels, pixels, images, this.#arithmetic.view(this.#buffers.input));
    this.#buffers.labels.set(labels);
    this.#nextForward = 0;
    this.#nextBackward = null;
  }

  loadBytes(pixels: Uint8Array, indices: ArrayLike<number>, table: Float32Array, labels: Uint8Array): void {
    const size = sizeOf(this.#plan.spec.input);
    const n = indices.length;
    checkBytes(pixels, indices, size, table, labels);
    // Memory anew at each step costs more than the images.
    if (this.#images.length !== n * size) this.#images = new Float32Array(n * size);
    lookUpBytes(pixels, indices, size, table, this.#images);
    this.load(this.#images, labels, n);
  }

  forward(layer: LayerPlan, context: ForwardContext): void {
    const buffers = this.#loaded();
    if (layer.index !== this.#nextForward) throw this.#outOfOrder(`forward pass of ${layer.spec.name}`);
    const input = this.#inputOf(layer);
    const own = layerBuffers(buffers, layer);
    const { view } = this.#arithmetic;
    switch (layer.spec.kind) {
      case 'conv2d':
        this.#arithmetic.convolutionForward(
          convolutionShape(layer, layer.spec, buffers.n),
          input,
          ...this.#variables(layer),
          own.output,
        );
        break;
      case 'dense':
        this.#arithmetic.denseForward(buffers.n, input, ...this.#variables(layer), own.output);
        break;
      case 'maxPool2d':
        pooling.maxPoolForward(
          poolShape(layer, layer.spec, buffers.n),
          view(input),
          view(own.output),
          own.argmax,
        );
        break;
      case 'averagePool2d':
        pooling.averagePoolForward(poolShape(layer, layer.spec, buffers.n), view(input), view(own.output));
        break;
      case 'relu':
        activations.reluForward(view(input), view(own.output));
        break;
      case 'leakyRelu':
        activations.leakyReluForward(layer.spec.slope, view(input), view(own.output));
        break;
      case 'sigmoid':
        activations.sigmoidForward(view(input), view(own.output));
        break;
      case 'tanh':
        activations.tanhForward(view(input), view(own.output));
        break;
      case 'dropout': {
        const mask = context.mask(layer);
        own.dropping = mask !== null;
        if (mask === null) {
          view(own.output).set(view(input));
        } else {
          spreadMask(layer, mask, buffers.n, own.factors);
          activations.multiply(view(input), own.factors, view(own.output));
        }
        break;
      }
      case 'flatten': {
        const { channels, pixels } = imageExtents(layer.inputShape);
        toChannelsFirst(buffers.n, channels, pixels, view(input), view(own.output));
        break;
      }
    }
    this.#nextForward = layer.index + 1;
  }

  loss(): { readonly loss: number; readonly correct: number } {
    const buffers = this.#loaded();
    const last = this.#plan.layers.at(-1);
    if (last === undefined || this.#nextForward <= last.index) throw this.#outOfOrder('loss');
    const { view } = this.#arithmetic;
    const error = errorBuffer(buffers, last);
    const logits = layerBuffers(buffers, last).output;
    const computeLoss = LOSS_KERNELS[this.#plan.spec.loss];
    const result = computeLoss(view(logits), buffers.labels, buffers.probabilities, view(error));
    this.#nextBackward = last.index;
    return result;
  }

  score(ofClass: number): void {
    const buffers = this.#loaded();
    const last = this.#plan.layers.at(-1);
    if (last === undefined || this.#nextForward <= last.index) throw this.#outOfOrder('score');
    const error = this.#arithmetic.view(errorBuffer(buffers, last));
    error.fill(0);
    for (let row = 0; row < buffers.n; row++) error[row * this.#plan.classes + ofClass] = 1;
    this.#nextBackward = last.index;
  }

  backward(layer: LayerPlan, options: { readonly parameters: boolean }): void {
    const buffers = this.#loaded();
    if (layer.index !== this.#nextBackward) throw this.#outOfOrder(`backward pass of ${layer.spec.name}`);
    const own = layerBuffers(buffers, layer);
    const error = errorBuffer(buffers, layer);
    const before = this.#plan.layers[layer.index - 1];
    if (options.parameters) this.#parameterGradients(layer, buffers, error);
    if (before !== undefined) this.#errorOfInput(layer, buffers, own, error, errorBuffer(buffers, before));
    this.#nextBackward = layer.index - 1;
  }

  readOutput(layer: LayerPlan, target: Float32Array): void {
    this.#copyChannelsFirst(layer, this.#knownOutput(layer), target);
  }

  readError(layer: LayerPlan, target: Float32Array): void {
    this.#copyChannelsFirst(layer, this.#knownError(layer), target);
  }

  readInputError(target: Float32Array): void {
    const buffers = this.#loaded();
    const first = this.#plan.layers[0];
    if (first === undefined || this.#nextBackward !== -1)
      throw this.#outOfOrder('reading of the input error');
    const inputError = this.#inputError();
    const own = layerBuffers(buffers, first);
    this.#errorOfInput(first, buffers, own, errorBuffer(buffers, first), inputError);
    checkLength(target, inputError.size);
    const { channels, pixels } = imageExtents(this.#plan.spec.input);
    toChannelsFirst(buffers.n, channels, pixels, this.#arithmetic.view(inputError), target);
  }

  readProbabilities(target: Float32Array): void {
    const { probabilities } = this.#loaded();
    if (this.#nextBackward === null) throw this.#outOfOrder('reading of probabilities');
    checkLength(target, probabilities.length);
    target.set(probabilities);
  }

  dispose(): void {
    this.#free();
    this.#onDispose(this);
  }

  #parameterGradients(layer: LayerPlan, buffers: Buffers, error: tf.Tensor): void {
    const input = this.#inputOf(layer);
    if (layer.spec.kind === 'conv2d') {
      const shape = convolutionShape(layer, layer.spec, buffers.n);
      this.#arithmetic.convolutionBackwardFilter(shape, input, error, ...this.#gradients(layer));
    } else if (layer.spec.kind === 'dense') {
      this.#arithmetic.denseBackwardWeight(buffers.n, input, error, ...this.#gradients(layer));
    }
  }

  #errorOfInput(
    layer: LayerPlan,
    buffers: Buffers,
    own: LayerBuffers,
    error: tf.Tensor,
    inputError: tf.Tensor,
  ): void {
    const { view } = this.#arithmetic;
    switch (layer.spec.kind) {
      case 'conv2d': {
        const [weight] = this.#variables(layer);
        const shape = convolutionShape(layer, layer.spec, buffers.n);
        this.#arithmetic.convolutionBackwardInput(shape, error, weight, inputError);
        break;
      }
      case 'dense': {
        const [weight] = this.#variables(layer);
        this.#arithmetic.denseBackwardInput(buffers.n, error, weight, inputError);
        break;
      }
      case 'maxPool2d':
        pooling.maxPoolBackward(
          poolShape(layer, layer.spec, buffers.n),
          view(error),
          own.argmax,
          view(inputError),
        );
        break;
      case 'averagePool2d':
        pooling.averagePoolBackward(poolShape(layer, layer.spec, buffers.n), view(error), view(inputError));
        break;
      case 'relu':
        activations.reluBackward(view(own.output), view(error), view(inputError));
        break;
      case 'leakyRelu':
        activations.leakyReluBackward(layer.spec.slope, view(own.output), view(error), view(inputError));
        break;
      case 'sigmoid':
        activations.sigmoidBackward(view(own.output), view(error), view(inputError));
        break;
      case 'tanh':
        activations.tanhBackward(view(own.output), view(error), view(inputError));
        break;
      case 'dropout':
        if (own.dropping) activations.multiply(view(error), own.factors, view(inputError));
        else view(inputError).set(view(error));
        break;
      case 'flatten': {
        const { channels, pixels } = imageExtents(layer.inputShape);
        toChannelsLast(buffers.n, channels, pixels, view(error), view(inputError));
        break;
      }
    }
  }

  #copyChannelsFirst(layer: LayerPlan, source: tf.Tensor, target: Float32Array): void {
    checkLength(target, source.size);
    const { channels, pixels } = imageExtents(layer.outputShape);
    toChannelsFirst(this.#loaded().n, channels, pixels, this.#arithmetic.view(source), target);
  }

  #loaded(): Buffers {
    if (this.#buffers === null) throw new GradscopeError('internal', 'The pass has no minibatch loaded.');
    return this.#buffers;
  }

  #inputOf(layer: LayerPlan): tf.Tensor {
    const buffers = this.#loaded();
    const before = this.#plan.layers[layer.index - 1];
    return before === undefined ? buffers.input : layerBuffers(buffers, before).output;
  }

  #knownOutput(layer: LayerPlan): tf.Tensor {
    const buffers = this.#loaded();
    if (layer.index >= this.#nextForward)
      throw this.#outOfOrder(`reading of the output of ${layer.spec.name}`);
    return layerBuffers(buffers, layer).output;
  }

  #knownError(layer: LayerPlan): tf.Tensor {
    const buffers = this.#loaded();
    if (this.#nextBackward === null || layer.index < this.#nextBackward) {
      throw this.#outOfOrder(`reading of the error of ${layer.spec.name}`);
    }
    return errorBuffer(buffers, layer);
  }

  /**
   * dL/d(image) is of no use to training: tfjs-layers asks for a tensor of that shape and looks at none of its values, which
   * are zeros until somebody reads them.
   */
  #inputError(): tf.Tensor {
    const buffers = this.#loaded();
    buffers.inputError ??= tf.keep(tf.zeros(buffers.input.shape));
    return buffers.inputError;
  }

  #variables(layer: LayerPlan): [weight: tf.Tensor, bias: tf.Tensor] {
    return pairOf(layer, (parameter) => this.#parameters.variable(parameter));
  }

  #gradients(layer: LayerPlan): [weight: tf.Tensor, bias: tf.Tensor] {
    return pairOf(layer, (parameter) => this.#parameters.gradient(parameter));
  }

  #outOfOrder(what: string): GradscopeError {
    const stands = `${this.#nextForward} of ${this.#plan.layers.length} layers are forwarded`;
    const errors =
      this.#nextBackward === null
        ? 'the loss is not known'
        : `errors are known from layer ${Math.max(this.#nextBackward, 0)} on`;
    return new GradscopeError('internal', `The ${what} is out of order: ${stands} and ${errors}.`);
  }

  #free(): void {
    const buffers = this.#buffers;
    if (buffers === null) return;
    this.#buffers = null;
    this.#nextForward = 0;
    this.#nextBackward = null;
    buffers.input.dispose();
    buffers.inputError?.dispose();
    for (const { output, error } of buffers.layers) {
      output.dispose();
      error?.dispose();
    }
  }
}

function createBuffers(plan: NetworkPlan, n: number): Buffers {
  return {
    n,
    input: tf.keep(tf.zeros([n, ...heldShape(plan.spec.input)])),
    labels: new Uint8Array(n),
    probabilities: new Float32Array(n * plan.classes),
    layers: plan.layers.map(({ spec, outputShape }) => {
      const size = n * sizeOf(outputShape);
      return {
        output: tf.keep(tf.zeros([n, ...heldShape(outputShape)])),
        error: null,
        argmax: new Int32Array(spec.kind === 'maxPool2d' ? size : 0),
        factors: new Float32Array(spec.kind === 'dropout' ? size : 0),
        dropping: false,
      };
    }),
    inputError: null,
  };
}

function layerBuffers(buffers: Buffers, layer: LayerPlan): LayerBuffers {
  const found = buffers.layers[layer.index];
  if (found === undefined) throw new GradscopeError('internal', `There is no layer ${layer.index}.`);
  return found;
}

function errorBuffer(buffers: Buffers, layer: LayerPlan): tf.Tensor {
  const own = layerBuffers(buffers, layer);
  own.error ??= tf.keep(tf.zeros(own.output.shape));
  return own.error;
}

function pairOf<T>(layer: LayerPlan, get: (parameter: ParameterPlan) => T): [T, T] {
  const [weight, bias] = layer.parameters;
  if (weight === undefined || bias === undefined) {
    throw new GradscopeError('internal', `Layer ${layer.spec.name} has no weight and bias.`);
  }
  return [get(weight), get(bias)];
}

/** Channels last for an image, unchanged for a row. */
function heldShape(shape: readonly number[]): number[] {
  const [channels, height, width] = shape;
  return channels === undefined || height === undefined || width === undefined
    ? [...shape]
    : [height, width, channels];
}

/** A row is an image of one pixel: its values stand in the same order in either layout. */
function imageExtents(shape: readonly number[]): {
  channels: number;
  height: number;
  width: number;
  pixels: number;
} {
  const [channels = 1, height = 1, width = 1] = shape;
  return { channels, height, width, pixels: height * width };
}

function convolutionShape(layer: LayerPlan, spec: LayerSpecOf<'conv2d'>, n: number): ConvolutionShape {
  const { channels, height, width } = imageExtents(layer.inputShape);
  const output = imageExtents(layer.outputShape);
  const { filters, kernelSize: kernel, stride, padding } = spec;
  const { height: outHeight, width: outWidth } = output;
  return { n, height, width, channels, filters, kernel, stride, padding, outHeight, outWidth };
}

function poolShape(
  layer: LayerPlan,
  { size, stride, padding }: LayerSpecOf<'maxPool2d' | 'averagePool2d'>,
  n: number,
): pooling.PoolShape {
  const { channels, height, width } = imageExtents(layer.inputShape);
  const output = imageExtents(layer.outputShape);
  const { height: outHeight, width: outWidth } = output;
  return { n, channels, height, width, size, stride, padding, outHeight, outWidth };
}

/** From one factor for each channel or value, channel first, to one for each value, channels last. */
function spreadMask(layer: LayerPlan, mask: Float32Array, n: number, factors: Float32Array): void {
  const { channels, pixels } = imageExtents(layer.outputShape);
  const perChannel = layer.spec.kind === 'dropout' && layer.spec.unit === 'channel';
  checkLength(mask, n * channels * (perChannel ? 1 : pixels));
  if (perChannel) spreadFactors(n, channels, pixels, mask, factors);
  else toChannelsLast(n, channels, pixels, mask, factors);
}

function checkLength(values: Float32Array, expected: number): void {
  if (values.length !== expected) {
    throw new GradscopeError(
      'internal',
      `An array of ${expected} values is needed here, but one of ${values.length} was given.`,
    );
  }
}
