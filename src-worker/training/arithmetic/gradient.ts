import type { LayerPlan, ParameterPlan } from '../../../src-shared/model/network';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { termsOf } from './explained';
import { extents, windowsOf } from './places';
import { TermSum } from './sums';

/** What a parameter's gradient is made of, for the whole minibatch, channel first. */
export interface GradientSource {
  readonly n: number;
  /** (n, ...inputShape) */
  readonly input: Float32Array;
  /** dL/d output, (n, ...outputShape) */
  readonly error: Float32Array;
  readonly gradient: Float32Array;
  readonly step: number;
}

/** One value of a parameter's gradient. @param index flat, in PyTorch's layout */
export function explainGradient(
  layer: LayerPlan,
  { role }: ParameterPlan,
  index: number,
  { n, input, error, gradient, step }: GradientSource,
): ExplanationOf<'terms'> {
  const value = gradient[index]!;
  const inputs = extents(layer.inputShape);
  const outputs = extents(layer.outputShape);
  const positions = outputs.height * outputs.width;
  const image = inputs.channels * inputs.height * inputs.width;
  // A dense layer is a convolution of one pixel.
  const spec = layer.spec.kind === 'conv2d' ? windowsOf(layer.spec) : { size: 1, stride: 1, padding: 0 };
  const { size, stride, padding } = spec;
  const kernel = role === 'bias' ? 1 : inputs.channels * size * size;
  const filter = Math.floor(index / kernel);
  const [channel, ky, kx] = [
    Math.floor((index % kernel) / (size * size)),
    Math.floor((index % (size * size)) / size),
    index % size,
  ];
  const sum = new TermSum();
  for (let example = 0; example < n; example++) {
    for (let row = 0; row < outputs.height; row++) {
      const errors = ((example * outputs.channels + filter) * outputs.height + row) * outputs.width;
      const y = row * stride - padding + ky;
      const line = example * image + (channel * inputs.height + y) * inputs.width;
      for (let column = 0; column < outputs.width; column++) {
        const place = (example * outputs.height + row) * outputs.width + column;
        const x = column * stride - padding + kx;
        if (role === 'bias') sum.add(place, error[errors + column]!, 1);
        else if (y >= 0 && y < inputs.height && x >= 0 && x < inputs.width) {
          sum.add(place, error[errors + column]!, input[line + x]!);
        }
      }
    }
  }
  const spatial = layer.spec.kind === 'conv2d';
  return termsOf(
    sum,
    {
      left: 'error',
      right: role === 'bias' ? null : 'input',
      axes: spatial ? ['example', 'row', 'column'] : ['example'],
      bias: null,
      value,
      step,
    },
    (place) => {
      const example = Math.floor(place / positions);
      const inside = place % positions;
      return spatial ? [example, Math.floor(inside / outputs.width), inside % outputs.width] : [example];
    },
  );
}
