import * as tf from '@tensorflow/tfjs-core';
import type { Arithmetic } from './arithmetic';
import { allFinite, sumsByChannel } from './kernels/layers';

/**
 * Convolutions and matrix products by XNNPACK, through the kernels of tfjs's wasm backend. tfjs registers no gradient of
 * a convolution's filter there and a slow one of its input; both are convolutions themselves (docs/adr/0002-wasm-kernels.md):
 *
 * - filter: gradient[ky,kx,c,f] = sum over n,y,x of input[n,y+ky,x+kx,c] error[n,y,x,f] is a convolution in which channels
 *   play the minibatch and examples the channels: image c is (height, width, n), and the error is the kernel.
 * - input: the error, with a border of kernel - 1 zeros, convolved with the kernel turned by 180 degrees and with filters
 *   and channels exchanged.
 *
 * XNNPACK packs the second operand and its bias once, and the backend keeps the packing, and a record of every operator
 * made of either tensor, for as long as that tensor lives. Here weights and activations are overwritten in place and live
 * for the whole run: given to XNNPACK, they would be stale in the second step and leak some 200 bytes in each. So second
 * operands and biases are always tensors of their own, freed after use: a copy, or what tf.transpose gives (on this backend
 * it copies even when only axes of length 1 move).
 */
export function wasmArithmetic(view: (tensor: tf.Tensor) => Float32Array, reference: Arithmetic): Arithmetic {
  const copy = (tensor: tf.Tensor): tf.Tensor => tf.tensor(view(tensor).slice(), tensor.shape);

  /** Runs a kernel, copies what it gives into `target`, and frees all that was made on the way. */
  const into = (target: tf.Tensor, compute: () => tf.Tensor): void => {
    tf.tidy(() => {
      const result = compute();
      view(target).set(view(result));
    });
  };

  return {
    view,

    convolutionForward(shape, input, weight, bias, output) {
      if (isDepthwise(shape.channels, shape.filters)) {
        reference.convolutionForward(shape, input, weight, bias, output);
        return;
      }
      into(output, () => convolve(input, tf.transpose(weight, [2, 3, 1, 0]), 0, copy(bias)));
    },

    convolutionBackwardInput(shape, outputError, weight, inputError) {
      // A NaN times a zero of the border would reach places that it has no part in.
      if (isDepthwise(shape.filters, shape.channels) || !allFinite(view(weight))) {
        reference.convolutionBackwardInput(shape, outputError, weight, inputError);
        return;
      }
      into(inputError, () =>
        convolve(outputError, tf.transpose(tf.reverse(weight, [2, 3]), [2, 3, 0, 1]), shape.kernel - 1),
      );
    },

    convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient) {
      if (isDepthwise(shape.n, shape.filters)) {
        reference.convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient);
        return;
      }
      into(weightGradient, () => {
        const exchanged = convolve(
          tf.transpose(input, [3, 1, 2, 0]),
          tf.transpose(outputError, [1, 2, 0, 3]),
          0,
        );
        return tf.transpose(exchanged, [3, 0, 1, 2]);
      });
      sumsByChannel(view(outputError), view(biasGradient));
    },

    denseForward(_n, input, weight, bias, output) {
      into(output, () => multiply(input, tf.transpose(weight, [1, 0]), copy(bias)));
    },

    denseBackwardInput(_n, outputError, weight, inputError) {
      into(inputError, () => multiply(outputError, copy(weight)));
    },

    denseBackwardWeight(_n, input, outputError, weightGradient, biasGradient) {
      into(weightGradient, () => multiply(tf.transpose(outputError, [1, 0]), copy(input)));
      sumsByChannel(view(outputError), view(biasGradient));
    },
  };
}

/** XNNPACK takes a convolution of one channel by one filter for a depthwise one, whose kernels make -Infinity of a NaN. */
const isDepthwise = (channels: number, filters: number): boolean => channels === 1 && filters === 1;

/**
 * The kernels are run by name and not through tf.fused.*, which may choose another kernel while tfjs records a tape: the
 * two loops must run the same one.
 */
function convolve(x: tf.Tensor, filter: tf.Tensor, border: number, bias?: tf.Tensor): tf.Tensor {
  // tfjs takes a border given as one number for that of a square kernel, and an error as kernel need not be square: the
  // result would be too small, and XNNPACK would write beyond it.
  const pad = [
    [0, 0],
    [border, border],
    [border, border],
    [0, 0],
  ];
  const options = { strides: [1, 1], dilations: [1, 1], pad, dataFormat: 'NHWC' };
  return bias === undefined
    ? runKernel(tf.Conv2D, { x, filter }, options)
    : runKernel(tf.FusedConv2D, { x, filter, bias }, { ...options, activation: 'linear' });
}

function multiply(left: tf.Tensor, right: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const a = tf.reshape(left, [1, ...left.shape]);
  const b = tf.reshape(right, [1, ...right.shape]);
  const options = { transposeA: false, transposeB: false };
  return bias === undefined
    ? runKernel(tf.BatchMatMul, { a, b }, options)
    : runKernel(tf._FusedMatMul, { a, b, bias }, { ...options, activation: 'linear' });
}

function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(name, inputs, attributes);
}
