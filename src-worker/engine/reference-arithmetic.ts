import type * as tf from '@tensorflow/tfjs-core';
import type { Arithmetic } from './arithmetic';
import { toChannelsFirst, toChannelsLast } from './kernels/layout';
import * as layers from './kernels/layers';
import type { ConvolutionShape } from './kernels/layers';

/** The plain loops of kernels/layers.ts over the memory of tensors, wherever a backend keeps it. */
export function referenceArithmetic(view: (tensor: tf.Tensor) => Float32Array): Arithmetic {
  const filterOf = ({ filters, channels, kernel }: ConvolutionShape, weight: tf.Tensor): Float32Array => {
    const filter = new Float32Array(weight.size);
    toChannelsLast(filters, channels, kernel * kernel, view(weight), filter);
    return filter;
  };

  return {
    view,
    convolutionForward(shape, input, weight, bias, output) {
      layers.convolutionForward(shape, view(input), filterOf(shape, weight), view(bias), view(output));
    },
    convolutionBackwardInput(shape, outputError, weight, inputError) {
      layers.convolutionBackwardInput(shape, view(outputError), filterOf(shape, weight), view(inputError));
    },
    convolutionBackwardFilter(shape, input, outputError, weightGradient, biasGradient) {
      const gradient = new Float32Array(weightGradient.size);
      layers.convolutionBackwardFilter(shape, view(input), view(outputError), gradient, view(biasGradient));
      const { filters, channels, kernel } = shape;
      toChannelsFirst(filters, channels, kernel * kernel, gradient, view(weightGradient));
    },
    denseForward(n, input, weight, bias, output) {
      layers.denseForward(n, view(input), view(weight), view(bias), view(output));
    },
    denseBackwardInput(n, outputError, weight, inputError) {
      layers.denseBackwardInput(n, view(outputError), view(weight), view(inputError));
    },
    denseBackwardWeight(n, input, outputError, weightGradient, biasGradient) {
      layers.denseBackwardWeight(n, view(input), view(outputError), view(weightGradient), view(biasGradient));
    },
  };
}
