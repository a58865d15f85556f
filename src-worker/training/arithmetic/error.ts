import type { LayerPlan, NetworkPlan, NetworkSpec } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { type Explained, passed, termsOf } from './explained';
import { cut, dropoutFactor, extents, parametersOf, placeIn, winnerOf } from './places';
import type { ExampleValues } from './sources';
import { TermSum } from './sums';
import { addUp } from './window';

/**
 * One value of dL/d output of a layer: what the next layer passed back, or the loss.
 * @param index flat in the output of one example
 */
export function explainError(
  plan: NetworkPlan,
  layer: LayerPlan,
  index: number,
  values: ExampleValues,
): Explained {
  const value = values.error(layer)[index]!;
  const next = plan.layers[layer.index + 1];
  if (next === undefined) {
    return { explanation: ERRORS_OF_LOGITS[plan.spec.loss](index, values, value), arrays: [] };
  }
  const { step } = values;
  switch (next.spec.kind) {
    case 'conv2d':
      return throughConvolution(next, index, values, value);
    case 'dense':
      return { explanation: throughDense(next, index, values, value), arrays: [] };
    case 'maxPool2d':
      return throughPool(next, next.spec.size, index, values, value);
    case 'relu': {
      const operand = values.error(next)[index]!;
      const output = values.output(next)[index]!;
      const stopped = output <= 0;
      const parts = { operand, from: index, factor: stopped ? 0 : 1, decidedBy: output };
      return passed('relu', parts, { value, sum: stopped ? 0 : operand, step }, 'backward');
    }
    case 'averagePool2d':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh':
      throw new GradscopeError('internal', `No arithmetic of ${layer.spec.name} is known.`);
    case 'dropout': {
      const operand = values.error(next)[index]!;
      const factor = dropoutFactor(next, index, values);
      const parts = { operand, from: index, factor, decidedBy: null };
      return passed('dropout', parts, { value, sum: factor * operand, step }, 'backward');
    }
    case 'flatten': {
      const operand = values.error(next)[index]!;
      const parts = { operand, from: index, factor: 1, decidedBy: null };
      return passed('flatten', parts, { value, sum: operand, step }, 'backward');
    }
  }
}

type ErrorOfLogits = (unit: number, values: ExampleValues, value: number) => ExplanationOf<'loss'>;

const ERRORS_OF_LOGITS: Readonly<Record<NetworkSpec['loss'], ErrorOfLogits>> = {
  /** Mean over the minibatch: (probability - target) / n. */
  softmaxCrossEntropy: (unit, values, value) => {
    const { examples, step } = values;
    const probability = values.probabilities()[unit]!;
    const target = unit === values.label ? 1 : 0;
    const sum = (probability - target) / examples;
    const absolute = (Math.abs(probability) + target) / examples;
    return { form: 'loss', probability, target, again: null, examples, value, sum, absolute, step };
  },
  /** probability x (u - mean) / n, with u = second softmax - target and mean = sum over the classes of probability x u. */
  softmaxOfSoftmaxCrossEntropy: (unit, values, value) => {
    const { examples, label, step } = values;
    const probabilities = Float64Array.from(values.probabilities());
    const powers = probabilities.map((probability) => Math.exp(probability));
    const total = powers.reduce((sum, power) => sum + power, 0);
    const mean = new TermSum();
    probabilities.forEach((probability, k) => {
      mean.add(k, probability, powers[k]! / total - (k === label ? 1 : 0));
    });
    const probability = probabilities[unit]!;
    const second = powers[unit]! / total;
    const target = unit === label ? 1 : 0;
    return {
      form: 'loss',
      probability,
      target,
      again: { probability: second, mean: mean.sum },
      examples,
      value,
      sum: (probability * (second - target - mean.sum)) / examples,
      absolute: (Math.abs(probability) * (second + target + mean.absolute)) / examples,
      step,
    };
  },
};

/**
 * error of input[i,y,x] = sum over o,ky,kx of error[o,y-ky,x-kx] weight[o,i,ky,kx]: a full correlation with the kernel turned
 * by 180 degrees.
 */
function throughConvolution(next: LayerPlan, index: number, values: ExampleValues, value: number): Explained {
  const { channel, row, column } = placeIn(next.inputShape, index);
  const input = extents(next.inputShape);
  const output = extents(next.outputShape);
  const size = input.height - output.height + 1;
  const [top, left] = [row - size + 1, column - size + 1];
  const inside = {
    top: Math.max(0, -top),
    left: Math.max(0, -left),
    bottom: Math.min(size, output.height - top),
    right: Math.min(size, output.width - left),
  };
  const error = values.error(next);
  const weight = values.parameter(parametersOf(next).weight);
  const patch = new Float32Array(output.channels * size * size);
  const kernels = new Float32Array(patch.length);
  let at = 0;
  for (let o = 0; o < output.channels; o++) {
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++, at++) {
        const isInside = a >= inside.top && a < inside.bottom && b >= inside.left && b < inside.right;
        if (isInside) patch[at] = error[(o * output.height + top + a) * output.width + left + b]!;
        kernels[at] = weight[((o * input.channels + channel) * size + size - 1 - a) * size + size - 1 - b]!;
      }
    }
  }
  const corner: [number, number] = [top, left];
  const window = {
    planes: output.channels,
    height: size,
    width: size,
    corner,
    inside,
    left: patch,
    right: kernels,
  };
  return addUp(window, { left: 'error', bias: null, value, step: values.step });
}

/** error of input[i] = sum over o of error[o] weight[o,i] */
function throughDense(
  next: LayerPlan,
  input: number,
  values: ExampleValues,
  value: number,
): ExplanationOf<'terms'> {
  const error = values.error(next);
  const weight = values.parameter(parametersOf(next).weight);
  const inputs = weight.length / error.length;
  const sum = new TermSum();
  for (let o = 0; o < error.length; o++) sum.add(o, error[o]!, weight[o * inputs + input]!);
  const head = { left: 'error', right: 'weight', bias: null, value, step: values.step } as const;
  return termsOf(sum, { ...head, axes: ['unit'] }, (o) => [o]);
}

/** The error of a window goes to the value that won it, and nowhere else. */
function throughPool(
  next: LayerPlan,
  size: number,
  index: number,
  values: ExampleValues,
  value: number,
): Explained {
  const { channel, row, column } = placeIn(next.inputShape, index);
  const input = extents(next.inputShape);
  const output = extents(next.outputShape);
  const [y, x] = [Math.floor(row / size), Math.floor(column / size)];
  const { step } = values;
  if (y >= output.height || x >= output.width) {
    const parts = { operand: null, from: null, factor: 0, decidedBy: null };
    return passed('maxPool', parts, { value, sum: 0, step }, 'backward');
  }
  const plane = input.height * input.width;
  const map = values.input(next).subarray(channel * plane, (channel + 1) * plane);
  const winner = winnerOf(cut(map, { ...input, channels: 1 }, [y * size, x * size], size));
  const won = winner === (row - y * size) * size + column - x * size;
  const from = (channel * output.height + y) * output.width + x;
  const operand = values.error(next)[from]!;
  const parts = { operand, from, factor: won ? 1 : 0, decidedBy: null };
  return passed('maxPool', parts, { value, sum: won ? operand : 0, step }, 'backward');
}
