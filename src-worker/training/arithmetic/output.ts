import type { LayerPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { type Explained, passed, termsOf } from './explained';
import { cut, dropoutFactor, extents, parametersOf, placeIn, winnerOf } from './places';
import { TermSum } from './sums';
import type { ExampleValues } from './sources';
import { addUp, type Window } from './window';

/** One value of a layer's output, from the layer's input. @param index flat in the output of one example */
export function explainOutput(layer: LayerPlan, index: number, values: ExampleValues): Explained {
  const value = values.output(layer)[index]!;
  const { step } = values;
  switch (layer.spec.kind) {
    case 'conv2d':
      return convolutionOutput(layer, index, values, value);
    case 'dense':
      return { explanation: denseOutput(layer, index, values, value), arrays: [] };
    case 'maxPool2d':
      return maximum(layer, layer.spec.size, index, values, value);
    case 'relu': {
      const x = values.input(layer)[index]!;
      // NaN stays NaN.
      const stopped = x <= 0;
      const sum = stopped ? 0 : x;
      const parts = { operand: x, from: index, factor: stopped ? 0 : 1, decidedBy: x };
      return passed('relu', parts, { value, sum, step });
    }
    case 'averagePool2d':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh':
      throw new GradscopeError('internal', `No arithmetic of ${layer.spec.name} is known.`);
    case 'dropout': {
      const x = values.input(layer)[index]!;
      const factor = dropoutFactor(layer, index, values);
      return passed(
        'dropout',
        { operand: x, from: index, factor, decidedBy: null },
        { value, sum: factor * x, step },
      );
    }
    case 'flatten': {
      const x = values.input(layer)[index]!;
      return passed(
        'flatten',
        { operand: x, from: index, factor: 1, decidedBy: null },
        { value, sum: x, step },
      );
    }
  }
}

/** output[o,y,x] = bias[o] + sum over i,ky,kx of input[i,y+ky,x+kx] weight[o,i,ky,kx] */
function convolutionOutput(layer: LayerPlan, index: number, values: ExampleValues, value: number): Explained {
  const { channel, row, column } = placeIn(layer.outputShape, index);
  const input = extents(layer.inputShape);
  const size = input.height - extents(layer.outputShape).height + 1;
  const names = parametersOf(layer);
  const each = input.channels * size * size;
  const window: Window = {
    planes: input.channels,
    height: size,
    width: size,
    corner: [row, column],
    inside: { top: 0, left: 0, bottom: size, right: size },
    left: cut(values.input(layer), input, [row, column], size),
    right: values.parameter(names.weight).slice(channel * each, (channel + 1) * each),
  };
  const bias = values.parameter(names.bias)[channel]!;
  return addUp(window, { left: 'input', bias, value, step: values.step });
}

/** output[o] = bias[o] + sum over i of input[i] weight[o,i] */
function denseOutput(
  layer: LayerPlan,
  unit: number,
  values: ExampleValues,
  value: number,
): ExplanationOf<'terms'> {
  const names = parametersOf(layer);
  const input = values.input(layer);
  const weight = values.parameter(names.weight);
  const sum = new TermSum();
  for (let i = 0; i < input.length; i++) sum.add(i, input[i]!, weight[unit * input.length + i]!);
  const bias = values.parameter(names.bias)[unit]!;
  return termsOf(
    sum,
    { left: 'input', right: 'weight', axes: ['input'], bias, value, step: values.step },
    (i) => [i],
  );
}

/** The largest of a window. */
function maximum(
  layer: LayerPlan,
  size: number,
  index: number,
  values: ExampleValues,
  value: number,
): Explained {
  const { channel, row, column } = placeIn(layer.outputShape, index);
  const input = extents(layer.inputShape);
  const corner: [number, number] = [row * size, column * size];
  const plane = input.height * input.width;
  const map = values.input(layer).subarray(channel * plane, (channel + 1) * plane);
  const patch = cut(map, { ...input, channels: 1 }, corner, size);
  const winner = winnerOf(patch);
  const sum = patch[winner]!;
  const explanation = { form: 'maximum', height: size, width: size, corner, winner } as const;
  const absolute = Math.abs(sum);
  return { explanation: { ...explanation, value, sum, absolute, step: values.step }, arrays: [patch] };
}
