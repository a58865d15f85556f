import type { LayerPlan, LayerSpecOf } from '../../../src-shared/model/network';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { activate } from './activation';
import { type Explained, passed, termsOf } from './explained';
import { cut, dropoutFactor, extents, parametersOf, placeIn, windowOf, windowsOf, winnerOf } from './places';
import { TermSum } from './sums';
import type { ExampleValues } from './sources';
import { addUp, type Window } from './window';

/** One value of a layer's output, from the layer's input. @param index flat in the output of one example */
export function explainOutput(layer: LayerPlan, index: number, values: ExampleValues): Explained {
  const value = values.output(layer)[index]!;
  const { step } = values;
  switch (layer.spec.kind) {
    case 'conv2d':
      return convolutionOutput(layer, layer.spec, index, values, value);
    case 'dense':
      return { explanation: denseOutput(layer, index, values, value), arrays: [] };
    case 'maxPool2d':
    case 'averagePool2d':
      return pooled(layer, layer.spec, index, values, value);
    case 'relu':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh': {
      const x = values.input(layer)[index]!;
      const { sum, factor } = activate(layer.spec, x);
      const parts = { operand: x, from: index, factor, decidedBy: x };
      return passed(layer.spec.kind, parts, { value, sum, step });
    }
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

/** output[o,y,x] = bias[o] + sum over i,ky,kx of input[i, y stride - padding + ky, x stride - padding + kx] weight[o,i,ky,kx] */
function convolutionOutput(
  layer: LayerPlan,
  spec: LayerSpecOf<'conv2d'>,
  index: number,
  values: ExampleValues,
  value: number,
): Explained {
  const { channel, row, column } = placeIn(layer.outputShape, index);
  const input = extents(layer.inputShape);
  const place = windowOf(input, windowsOf(spec), row, column);
  const names = parametersOf(layer);
  const each = input.channels * spec.kernelSize ** 2;
  const window: Window = {
    planes: input.channels,
    ...place,
    left: cut(values.input(layer), input, place),
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

/** The largest of a window, or its mean. */
function pooled(
  layer: LayerPlan,
  spec: LayerSpecOf<'maxPool2d' | 'averagePool2d'>,
  index: number,
  values: ExampleValues,
  value: number,
): Explained {
  const { channel, row, column } = placeIn(layer.outputShape, index);
  const input = extents(layer.inputShape);
  const place = windowOf(input, windowsOf(spec), row, column);
  const plane = input.height * input.width;
  const map = values.input(layer).subarray(channel * plane, (channel + 1) * plane);
  const patch = cut(map, { ...input, channels: 1 }, place);
  const { step } = values;
  if (spec.kind === 'averagePool2d') {
    // What sticks out is zero in the patch.
    const sum = patch.reduce((all, each) => all + each, 0) / patch.length;
    const absolute = patch.reduce((all, each) => all + Math.abs(each), 0) / patch.length;
    return { explanation: { form: 'mean', ...place, value, sum, absolute, step }, arrays: [patch] };
  }
  const winner = winnerOf(patch, place);
  const sum = patch[winner]!;
  const absolute = Math.abs(sum);
  return { explanation: { form: 'maximum', ...place, winner, value, sum, absolute, step }, arrays: [patch] };
}
