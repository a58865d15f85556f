import * as tf from '@tensorflow/tfjs-core';
import type { Arithmetic } from './arithmetic';
import { allFinite, sumsByChannel, type ConvolutionShape } from './kernels/layers';

/**
 * Convolutions and matrix products by XNNPACK, through the kernels of tfjs's wasm backend. tfjs registers no gradient of
 * a convolution's filter there and a slow one of its input; both are convolutions themselves (docs/adr/0002-wasm-kernels.md):
 *
 * - filter: gradient[ky,kx,c,f] = sum over n,y,x of input[n, y stride + ky, x stride + kx, c] error[n,y,x,f], the input with its
 *   padding, is a convolution in which channels play the minibatch and examples the channels: image c is (height, width, n),
 *   and the error is the kernel, whose values lie `stride` apart (dilation).
 * - input: the error, with stride - 1 zeros between its values and a border of kernel - 1 - padding zeros, convolved with the
 *   kernel turned by 180 degrees and with filters and channels exchanged.
 *
 * A zero of a border or between values adds nothing as long as what it is multiplied by is finite. Where it is not, the
 * reference takes over, which multiplies no such zeros.
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
      const multipliesZeros = shape.padding > 0 && !allFinite(view(weight));
      if (isDepthwise(shape.channels, shape.filters) || multipliesZeros) {
        reference.convolutionForward(shape, input, weight, bias, output);
        return;
      }
      const { stride, padding } = shape;
      into(output, () =>
        convolve(input, tf.transpose(weight, [2, 3, 1, 0]), { stride, border: around(padding) }, copy(bias)),
      );
    },

    convolutionBackwardInput(shape, outputError, weight, inputError) {
      const { kernel, stride, padding } = shape;
      const border = kernel - 1 - padding;
      if (isDepthwise(shape.filters, shape.channels) || border < 0 || !allFinite(view(weight))) {
        reference.convolutionBackwardInput(shape, outputError, weight, inputError);
        return;
      }
      into(inputError, () => {
        // Rows and columns at the far end that no window reached: zeros there give them no error.
        const [below, beside] = leftOver(shape);
        const spread = stride === 1 ? outputError : spreadOut(outputError, shape);
        const turned = tf.transpose(tf.reverse(weight, [2, 3]), [2, 3, 0, 1]);
        return convolve(spread, turned, { border: [border, border + below, border, border + beside] });
      });
    },

    convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient) {
      const { kernel, stride, padding } = shape;
      const multipliesZeros = padding > 0 && !allFinite(view(outputError));
      if (isDepthwise(shape.n, shape.filters) || multipliesZeros) {
        reference.convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient);
        return;
      }
      into(weightGradient, () => {
        const exchanged = convolve(
          tf.transpose(input, [3, 1, 2, 0]),
          tf.transpose(outputError, [1, 2, 0, 3]),
          { dilation: stride, border: around(padding) },
        );
        // Shifts beyond the kernel's, where rows or columns are left over.
        const { channels, filters } = shape;
        const own =
          exchanged.shape[1] === kernel && exchanged.shape[2] === kernel
            ? exchanged
            : tf.slice(exchanged, [0, 0, 0, 0], [channels, kernel, kernel, filters]);
        return tf.transpose(own, [3, 0, 1, 2]);
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

/** Rows and columns of the input, with its padding, that are left over behind the last window. */
function leftOver({ height, width, kernel, stride, padding }: ConvolutionShape): [number, number] {
  const beyond = (extent: number): number => (extent + 2 * padding - kernel) % stride;
  return [beyond(height), beyond(width)];
}

/** (n, outHeight, outWidth, filters) with stride - 1 zeros between neighbours. */
function spreadOut(error: tf.Tensor, shape: ConvolutionShape): tf.Tensor {
  const { n, outHeight, outWidth, filters, stride } = shape;
  const gaps = stride - 1;
  const apart = tf.pad(tf.reshape(error, [n, outHeight, 1, outWidth, filters]), [
    [0, 0],
    [0, 0],
    [0, gaps],
    [0, 0],
    [0, gaps * filters],
  ]);
  const spread = tf.reshape(apart, [n, outHeight * stride, outWidth * stride, filters]);
  return tf.slice(spread, [0, 0, 0, 0], [n, outHeight * stride - gaps, outWidth * stride - gaps, filters]);
}

interface ConvolutionOptions {
  readonly stride?: number;
  /** How far apart the kernel's values lie. */
  readonly dilation?: number;
  /** Zeros above, below, left and right. */
  readonly border: readonly [number, number, number, number];
}

const around = (border: number): [number, number, number, number] => [border, border, border, border];

/**
 * The kernels are run by name and not through tf.fused.*, which may choose another kernel while tfjs records a tape: the
 * two loops must run the same one.
 */
function convolve(
  x: tf.Tensor,
  filter: tf.Tensor,
  { stride = 1, dilation = 1, border: [above, below, left, right] }: ConvolutionOptions,
  bias?: tf.Tensor,
): tf.Tensor {
  // tfjs takes a border given as one number for that of a square kernel, and an error as kernel need not be square: the
  // result would be too small, and XNNPACK would write beyond it.
  const pad = [
    [0, 0],
    [above, below],
    [left, right],
    [0, 0],
  ];
  const options = {
    strides: [stride, stride],
    dilations: [dilation, dilation],
    pad,
    dataFormat: 'NHWC',
  };
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
