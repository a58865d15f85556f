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
 * XNNPACK packs the second operand once for each tensor and keeps the packing as long as the tensor lives. Weights and
 * activations are overwritten in place here, so the second operand is always a tensor of its own (see `operand`).
 */
export function wasmArithmetic(view: (tensor: tf.Tensor) => Float32Array, reference: Arithmetic): Arithmetic {
  /** Axes moved, in memory of its own: tf.transpose shares memory when only axes of length 1 move. */
  const operand = (tensor: tf.Tensor, axes: number[]): tf.Tensor => {
    const moved: tf.Tensor = tf.transpose(tensor, axes);
    return moved.dataId === tensor.dataId ? tf.tensor(view(tensor).slice(), moved.shape) : moved;
  };

  /** Runs a kernel, copies what it gives into `target`, and frees all that was made on the way. */
  const into = (target: tf.Tensor, compute: () => tf.Tensor): void => {
    tf.tidy(() => {
      const result = compute();
      view(target).set(view(result));
    });
  };

  return {
    view,

    convolutionForward(_shape, input, weight, bias, output) {
      into(output, () => convolve(input, operand(weight, [2, 3, 1, 0]), 0, bias));
    },

    convolutionBackwardInput(shape, outputError, weight, inputError) {
      // A NaN times a zero of the border would reach places that it has no part in.
      if (!allFinite(view(weight))) {
        reference.convolutionBackwardInput(shape, outputError, weight, inputError);
        return;
      }
      into(inputError, () =>
        convolve(outputError, operand(tf.reverse(weight, [2, 3]), [2, 3, 0, 1]), shape.kernel - 1),
      );
    },

    convolutionBackwardFilter(_shape, input, outputError, weightGradient, biasGradient) {
      into(weightGradient, () => {
        const exchanged = convolve(tf.transpose(input, [3, 1, 2, 0]), operand(outputError, [1, 2, 0, 3]), 0);
        return tf.transpose(exchanged, [3, 0, 1, 2]);
      });
      sumsByChannel(view(outputError), view(biasGradient));
    },

    denseForward(_n, input, weight, bias, output) {
      into(output, () => multiply(input, operand(weight, [1, 0]), bias));
    },

    denseBackwardInput(_n, outputError, weight, inputError) {
      into(inputError, () => multiply(outputError, tf.tensor(view(weight).slice(), weight.shape)));
    },

    denseBackwardWeight(_n, input, outputError, weightGradient, biasGradient) {
      into(weightGradient, () =>
        multiply(tf.transpose(outputError, [1, 0]), tf.tensor(view(input).slice(), input.shape)),
      );
      sumsByChannel(view(outputError), view(biasGradient));
    },
  };
}

/**
 * The kernels are run by name and not through tf.fused.*, which may choose another kernel while tfjs records a tape: the
 * two loops must run the same one.
 */
function convolve(x: tf.Tensor, filter: tf.Tensor, pad: number, bias?: tf.Tensor): tf.Tensor {
  const options = { strides: [1, 1], dilations: [1, 1], pad, dataFormat: 'NHWC' };
  return bias === undefined
    ? tf.engine().runKernel<tf.Tensor>(tf.Conv2D, { x, filter }, options)
    : tf
        .engine()
        .runKernel<tf.Tensor>(tf.FusedConv2D, { x, filter, bias }, { ...options, activation: 'linear' });
}

function multiply(a: tf.Tensor, b: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const a3 = tf.reshape(a, [1, ...a.shape]);
  const b3 = tf.reshape(b, [1, ...b.shape]);
  const options = { transposeA: false, transposeB: false };
  return bias === undefined
    ? tf.engine().runKernel<tf.Tensor>(tf.BatchMatMul, { a: a3, b: b3 }, options)
    : tf
        .engine()
        .runKernel<tf.Tensor>(tf._FusedMatMul, { a: a3, b: b3, bias }, { ...options, activation: 'linear' });
}
