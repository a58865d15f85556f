import type * as tf from '@tensorflow/tfjs-core';
import type { Arithmetic } from '../arithmetic';
import { allFinite, type ConvolutionShape, sumsByChannel } from '../kernels/layers';
import { Operations, type TensorFlowBinding } from './binding';

/**
 * Convolutions and matrix products by TensorFlow's own kernels. Tensors are given to it for the time of one call and results
 * are copied, so the arrays that tfjs holds stay ours to write in.
 *
 * TensorFlow takes no border of any size for the gradients of a convolution: it is put around the input, and cut off its error.
 * The zeros of a border add nothing as long as what they are multiplied by is finite. Where it is not, the reference takes over,
 * which multiplies no such zeros.
 */
export function tensorflowArithmetic(
  binding: TensorFlowBinding,
  view: (tensor: tf.Tensor) => Float32Array,
  reference: Arithmetic,
): Arithmetic {
  /** Copies what TensorFlow computes into `target`. */
  const into = (target: tf.Tensor, compute: (operations: Operations) => number): void => {
    Operations.run(binding, (operations) => {
      view(target).set(operations.read(compute(operations)));
    });
  };
  const matrix = (operations: Operations, tensor: tf.Tensor, rows: number): number => {
    const values = view(tensor);
    return operations.floats([rows, values.length / rows], values);
  };

  return {
    view,

    convolutionForward(shape, input, weight, bias, output) {
      if (shape.padding > 0 && !allFinite(view(weight))) {
        reference.convolutionForward(shape, input, weight, bias, output);
        return;
      }
      into(output, (operations) => {
        const x = withBorder(operations, shape, view(input));
        const products = operations.convolve(x, filterOf(operations, shape, view(weight)), shape.stride);
        return operations.addBias(products, operations.floats([shape.filters], view(bias)));
      });
    },

    convolutionBackwardInput(shape, outputError, weight, inputError) {
      const { n, height, width, channels, stride, padding } = shape;
      into(inputError, (operations) => {
        const bordered = operations.convolveBackInput(
          [n, height + 2 * padding, width + 2 * padding, channels],
          filterOf(operations, shape, view(weight)),
          errorOf(operations, shape, view(outputError)),
          stride,
        );
        return padding === 0
          ? bordered
          : operations.slice(bordered, [0, padding, padding, 0], [n, height, width, channels]);
      });
    },

    convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient) {
      if (shape.padding > 0 && !allFinite(view(outputError))) {
        reference.convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient);
        return;
      }
      const { channels, filters, kernel, stride } = shape;
      into(weightGradient, (operations) => {
        const gradient = operations.convolveBackFilter(
          withBorder(operations, shape, view(input)),
          [kernel, kernel, channels, filters],
          errorOf(operations, shape, view(outputError)),
          stride,
        );
        return operations.transpose(gradient, [3, 2, 0, 1]);
      });
      sumsByChannel(view(outputError), view(biasGradient));
    },

    denseForward(n, input, weight, bias, output) {
      const units = bias.size;
      into(output, (operations) => {
        const [x, w] = [matrix(operations, input, n), matrix(operations, weight, units)];
        const products = operations.multiply(x, w, { right: true });
        return operations.addBias(products, operations.floats([units], view(bias)));
      });
    },

    denseBackwardInput(n, outputError, weight, inputError) {
      const units = outputError.size / n;
      into(inputError, (operations) =>
        operations.multiply(matrix(operations, outputError, n), matrix(operations, weight, units), {}),
      );
    },

    denseBackwardWeight(n, input, outputError, weightGradient, biasGradient) {
      into(weightGradient, (operations) =>
        operations.multiply(matrix(operations, outputError, n), matrix(operations, input, n), { left: true }),
      );
      sumsByChannel(view(outputError), view(biasGradient));
    },
  };
}

/** The input with its padding, (n, height + 2 padding, width + 2 padding, channels). */
function withBorder(operations: Operations, shape: ConvolutionShape, input: Float32Array): number {
  const { n, height, width, channels, padding } = shape;
  const x = operations.floats([n, height, width, channels], input);
  if (padding === 0) return x;
  return operations.pad(x, [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0],
  ]);
}

/** From PyTorch's layout to TensorFlow's, (kernel, kernel, channels, filters). */
function filterOf(operations: Operations, shape: ConvolutionShape, weight: Float32Array): number {
  const { channels, filters, kernel } = shape;
  return operations.transpose(operations.floats([filters, channels, kernel, kernel], weight), [2, 3, 1, 0]);
}

function errorOf(operations: Operations, shape: ConvolutionShape, error: Float32Array): number {
  const { n, outHeight, outWidth, filters } = shape;
  return operations.floats([n, outHeight, outWidth, filters], error);
}
