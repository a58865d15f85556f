import type { LayerKind } from '../../../src-shared/model/network';
import { sigmoidBackward, sigmoidForward, tanhBackward, tanhForward } from './curves';
import * as fields from './fields';

export type CurveKind = 'sigmoid' | 'tanh';

/** The kernel of each kind of layer by itself. */
export const FORWARD: Readonly<Record<Exclude<LayerKind, CurveKind>, number>> = {
  conv2d: fields.CONVOLUTION,
  maxPool2d: fields.MAX_POOL,
  averagePool2d: fields.AVERAGE_POOL,
  relu: fields.RELU,
  leakyRelu: fields.LEAKY_RELU,
  dropout: fields.MULTIPLY,
  flatten: fields.CHANNELS_FIRST,
  dense: fields.ROWS,
};

/** From the error of the output to that of the input. */
export const INPUT_ERROR: typeof FORWARD = {
  conv2d: fields.DENSE_INPUT_ERROR,
  maxPool2d: fields.MAX_POOL_ERROR,
  averagePool2d: fields.AVERAGE_POOL_ERROR,
  relu: fields.RELU_ERROR,
  leakyRelu: fields.LEAKY_RELU_ERROR,
  dropout: fields.MULTIPLY_ERROR,
  flatten: fields.CHANNELS_FIRST_ERROR,
  dense: fields.ROWS_INPUT_ERROR,
};

export const CURVES = {
  sigmoid: { forward: sigmoidForward, backward: sigmoidBackward },
  tanh: { forward: tanhForward, backward: tanhBackward },
} as const;

/** Items of the work on a minibatch: examples, four at once in a dense layer. */
export const itemsOf = (kind: LayerKind, n: number): number => (kind === 'dense' ? Math.ceil(n / 4) : n);
