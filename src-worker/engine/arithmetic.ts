import type * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionShape } from './kernels/layers';

/**
 * What the engines differ in: the layers that multiply and add. Everything else (pooling, ReLU, dropout, the loss, the
 * order of things) is the same code for all of them.
 *
 * Tensors are read and written in place. Activations and errors are channels last; weights and their gradients are in
 * PyTorch's layout, (filters, channels, kernel, kernel) and (units, inputs). Every result is what IEEE arithmetic gives,
 * NaN and infinity included.
 */
export interface Arithmetic {
  /** The tensor's own memory. Take it anew after any call that may allocate: a heap that grows moves. */
  readonly view: (tensor: tf.Tensor) => Float32Array;

  convolutionForward(
    shape: ConvolutionShape,
    input: tf.Tensor,
    weight: tf.Tensor,
    bias: tf.Tensor,
    output: tf.Tensor,
  ): void;
  convolutionBackwardInput(
    shape: ConvolutionShape,
    outputError: tf.Tensor,
    weight: tf.Tensor,
    inputError: tf.Tensor,
  ): void;
  convolutionBackwardFilter(
    shape: ConvolutionShape,
    input: tf.Tensor,
    outputError: tf.Tensor,
    weightGradient: tf.Tensor,
    biasGradient: tf.Tensor,
  ): void;

  denseForward(n: number, input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, output: tf.Tensor): void;
  denseBackwardInput(n: number, outputError: tf.Tensor, weight: tf.Tensor, inputError: tf.Tensor): void;
  denseBackwardWeight(
    n: number,
    input: tf.Tensor,
    outputError: tf.Tensor,
    weightGradient: tf.Tensor,
    biasGradient: tf.Tensor,
  ): void;
}
