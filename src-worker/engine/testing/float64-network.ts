import { sizeOf, type LayerPlan, type NetworkPlan } from '../../../src-shared/model/network';
import { entry, type Minibatch } from './drive';

/**
 * The mean loss of a minibatch in float64, written from the definitions, one example at a time and channel first: an
 * independent second derivation, slow, to take finite differences of.
 */
export function float64Loss(
  plan: NetworkPlan,
  weights: ReadonlyMap<string, Float64Array>,
  batch: Minibatch,
): number {
  const size = sizeOf(plan.spec.input);
  let sum = 0;
  for (let example = 0; example < batch.n; example++) {
    let values: number[] = Array.from(batch.images.subarray(example * size, (example + 1) * size));
    for (const layer of plan.layers) values = applyLayer(layer, weights, batch, example, values);
    if (plan.spec.loss === 'softmaxOfSoftmaxCrossEntropy') values = softmax(values);
    sum -= Math.log(softmax(values)[batch.labels[example]!]!);
  }
  return sum / batch.n;
}

function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / total);
}

/** One example through one layer, in float64. */
export function applyLayer(
  layer: LayerPlan,
  weights: ReadonlyMap<string, Float64Array>,
  batch: Minibatch,
  example: number,
  values: number[],
): number[] {
  const { spec } = layer;
  const [channels = 1, height = 1, width = 1] = layer.inputShape;
  const [outChannels = 1, outHeight = 1, outWidth = 1] = layer.outputShape;
  /** `outside` is what stands in the padding. */
  const at = (c: number, y: number, x: number, outside: number): number =>
    y < 0 || x < 0 || y >= height || x >= width ? outside : values[(c * height + y) * width + x]!;
  const eachOutput = (compute: (c: number, y: number, x: number) => number): number[] =>
    Array.from({ length: outChannels * outHeight * outWidth }, (_, i) =>
      compute(Math.floor(i / (outHeight * outWidth)), Math.floor(i / outWidth) % outHeight, i % outWidth),
    );

  switch (spec.kind) {
    case 'conv2d': {
      const [weight, bias] = parametersOf(layer, weights);
      const { kernelSize: side, stride, padding } = spec;
      return eachOutput((f, y, x) => {
        let sum = bias[f]!;
        for (let c = 0; c < channels; c++) {
          for (let ky = 0; ky < side; ky++) {
            for (let kx = 0; kx < side; kx++) {
              sum +=
                at(c, y * stride - padding + ky, x * stride - padding + kx, 0) *
                weight[((f * channels + c) * side + ky) * side + kx]!;
            }
          }
        }
        return sum;
      });
    }
    case 'dense': {
      const [weight, bias] = parametersOf(layer, weights);
      return eachOutput((o) =>
        values.reduce((sum, value, i) => sum + value * weight[o * channels + i]!, bias[o]!),
      );
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const { size, stride, padding } = spec;
      const isMax = spec.kind === 'maxPool2d';
      return eachOutput((c, y, x) => {
        const window: number[] = [];
        for (let i = 0; i < size ** 2; i++) {
          const [row, column] = [Math.floor(i / size), i % size];
          window.push(
            at(c, y * stride - padding + row, x * stride - padding + column, isMax ? -Infinity : 0),
          );
        }
        return isMax ? Math.max(...window) : window.reduce((sum, value) => sum + value, 0) / size ** 2;
      });
    }
    case 'leakyRelu':
      return values.map((value) => (value > 0 ? value : spec.slope * value));
    case 'sigmoid':
      return values.map((value) => 1 / (1 + Math.exp(-value)));
    case 'tanh':
      return values.map(Math.tanh);
    case 'relu':
      return values.map((value) => Math.max(value, 0));
    case 'flatten':
      return values;
    case 'dropout': {
      const mask = batch.masks.get(spec.name);
      if (mask === undefined) return values;
      const perValue = spec.unit === 'channel' ? height * width : 1;
      const decisions = values.length / perValue;
      return values.map((value, i) => value * mask[example * decisions + Math.floor(i / perValue)]!);
    }
  }
}

function parametersOf(
  layer: LayerPlan,
  weights: ReadonlyMap<string, Float64Array>,
): [weight: Float64Array, bias: Float64Array] {
  const [weight, bias] = layer.parameters.map(({ name }) => entry(weights, name));
  if (weight === undefined || bias === undefined) throw new Error(`${layer.spec.name} has no parameters.`);
  return [weight, bias];
}
