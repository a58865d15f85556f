import type { LayerPlan, LayerSpecOf, NetworkPlan, NetworkSpec } from '../../../src-shared/model/network';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { activateBackward } from './activation';
import { type Explained, passed, termsOf } from './explained';
import {
  cut,
  dropoutFactor,
  extents,
  parametersOf,
  placeIn,
  reachOf,
  windowAt,
  windowOf,
  windowsOf,
  winnerOf,
} from './places';
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
      return throughConvolution(next, next.spec, index, values, value);
    case 'dense':
      return { explanation: throughDense(next, index, values, value), arrays: [] };
    case 'maxPool2d':
    case 'averagePool2d':
      return { explanation: throughPool(next, next.spec, index, values, value), arrays: [] };
    case 'relu':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh': {
      const operand = values.error(next)[index]!;
      const output = values.output(next)[index]!;
      const { sum, factor, absolute } = activateBackward(next.spec, operand, output);
      const parts = { operand, from: index, factor, decidedBy: output };
      return passed(next.spec.kind, parts, { value, sum, absolute, step }, 'backward');
    }
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
 * error of input[i,y,x] = sum over o and the outputs (row, column) whose kernels reach it of
 * error[o,row,column] weight[o, i, y + padding - row stride, x + padding - column stride]: without strides a full correlation with
 * the kernel turned by 180 degrees.
 */
function throughConvolution(
  next: LayerPlan,
  spec: LayerSpecOf<'conv2d'>,
  index: number,
  values: ExampleValues,
  value: number,
): Explained {
  const { channel, row, column } = placeIn(next.inputShape, index);
  const input = extents(next.inputShape);
  const output = extents(next.outputShape);
  const windows = windowsOf(spec);
  const { size, stride, padding } = windows;
  const [top, bottom] = reachOf(windows, row);
  const [left, right] = reachOf(windows, column);
  if (top > bottom || left > right) {
    const nothing = { form: 'shares', rule: 'conv2d', value, sum: 0, absolute: 0 } as const;
    return { explanation: { ...nothing, shares: [], step: values.step }, arrays: [] };
  }
  const place = windowAt(output, [top, left], bottom - top + 1, right - left + 1);
  const { height, width } = place;
  const weight = values.parameter(parametersOf(next).weight);
  const kernels = new Float32Array(output.channels * height * width);
  let at = 0;
  for (let o = 0; o < output.channels; o++) {
    for (let a = 0; a < height; a++) {
      const ky = row + padding - (top + a) * stride;
      for (let b = 0; b < width; b++, at++) {
        const kx = column + padding - (left + b) * stride;
        kernels[at] = weight[((o * input.channels + channel) * size + ky) * size + kx]!;
      }
    }
  }
  const window = {
    planes: output.channels,
    ...place,
    left: cut(values.error(next), output, place),
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

/** Of each window that the value is in: the whole error where it won (max), or its share (average). */
function throughPool(
  next: LayerPlan,
  spec: LayerSpecOf<'maxPool2d' | 'averagePool2d'>,
  index: number,
  values: ExampleValues,
  value: number,
): ExplanationOf<'shares'> {
  const { channel, row, column } = placeIn(next.inputShape, index);
  const input = extents(next.inputShape);
  const output = extents(next.outputShape);
  const windows = windowsOf(spec);
  const plane = input.height * input.width;
  const map = values.input(next).subarray(channel * plane, (channel + 1) * plane);
  const error = values.error(next);
  const factorOf = (y: number, x: number): number => {
    if (spec.kind === 'averagePool2d') return 1 / spec.size ** 2;
    const place = windowOf(input, windows, y, x);
    const winner = winnerOf(cut(map, { ...input, channels: 1 }, place), place);
    return winner === (row - place.corner[0]) * place.width + column - place.corner[1] ? 1 : 0;
  };
  const within = (place: number, count: number): [number, number] => {
    const [first, last] = reachOf(windows, place);
    return [Math.max(0, first), Math.min(count - 1, last)];
  };
  const [top, bottom] = within(row, output.height);
  const [left, right] = within(column, output.width);
  const shares: { from: number; operand: number; factor: number }[] = [];
  let [sum, absolute] = [0, 0];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const from = (channel * output.height + y) * output.width + x;
      const [operand, factor] = [error[from]!, factorOf(y, x)];
      shares.push({ from, operand, factor });
      // What did not win has no part in an error that is not finite either.
      if (factor === 0) continue;
      sum += factor * operand;
      absolute += Math.abs(factor * operand);
    }
  }
  const rule = spec.kind === 'maxPool2d' ? 'maxPool' : 'averagePool';
  return { form: 'shares', rule, shares, value, sum, absolute, step: values.step };
}
