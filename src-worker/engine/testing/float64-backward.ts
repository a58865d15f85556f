import { sizeOf, type LayerPlan } from '../../../src-shared/model/network';

/** What a layer's backward pass is given, for a minibatch of n, channel first. */
export interface BackwardGiven {
  readonly n: number;
  readonly input: Float32Array;
  /** dL/d output. */
  readonly error: Float32Array;
  /** PyTorch's layout; empty where the layer has none. */
  readonly weight: Float32Array;
  /** Factors of a dropout layer that is on. */
  readonly mask: Float32Array | null;
}

/** Sums in float64, and with each the sum of the absolute values of its terms: what its rounding is measured by. */
export interface Sums {
  readonly values: Float64Array;
  readonly absolute: Float64Array;
}

export interface BackwardResult {
  /** dL/d input. */
  readonly inputError: Sums;
  /** Empty where the layer has no parameters. */
  readonly weightGradient: Sums;
  readonly biasGradient: Sums;
}

const zeros = (size: number): Sums => ({ values: new Float64Array(size), absolute: new Float64Array(size) });

function add({ values, absolute }: Sums, at: number, term: number): void {
  values[at]! += term;
  absolute[at]! += Math.abs(term);
}

/**
 * The vector-Jacobian products of one layer in float64, written from the definitions output by output and channel first: for
 * each output, where its error goes. Independent of the kernels, which go the other way round and channels last.
 */
export function float64Backward(layer: LayerPlan, given: BackwardGiven): BackwardResult {
  const { spec, inputShape, outputShape } = layer;
  const { n, input, error, weight, mask } = given;
  const [inSize, outSize] = [sizeOf(inputShape), sizeOf(outputShape)];
  const [channels = 1, height = 1, width = 1] = inputShape;
  const [units = 1, outHeight = 1, outWidth = 1] = outputShape;
  const inputError = zeros(n * inSize);
  const weightGradient = zeros(weight.length);
  const biasGradient = zeros(weight.length === 0 ? 0 : units);

  for (let out = 0; out < n * outSize; out++) {
    const example = Math.floor(out / outSize);
    const from = example * inSize;
    const unit = Math.floor(out / (outHeight * outWidth)) % units;
    const y = Math.floor(out / outWidth) % outHeight;
    const x = out % outWidth;
    const e = error[out]!;
    /** Null in the padding. */
    const pixel = (c: number, row: number, column: number): number | null =>
      row < 0 || column < 0 || row >= height || column >= width
        ? null
        : from + (c * height + row) * width + column;
    const connect = (to: number, w: number): void => {
      add(inputError, to, e * weight[w]!);
      add(weightGradient, w, e * input[to]!);
    };
    switch (spec.kind) {
      case 'conv2d': {
        add(biasGradient, unit, e);
        const { kernelSize: side, stride, padding } = spec;
        for (let w = 0; w < channels * side * side; w++) {
          const [c, ky, kx] = [Math.floor(w / side ** 2), Math.floor(w / side) % side, w % side];
          const to = pixel(c, y * stride - padding + ky, x * stride - padding + kx);
          if (to !== null) connect(to, unit * channels * side * side + w);
        }
        break;
      }
      case 'dense':
        add(biasGradient, unit, e);
        for (let i = 0; i < inSize; i++) connect(from + i, unit * inSize + i);
        break;
      case 'maxPool2d':
      case 'averagePool2d': {
        const { size, stride, padding } = spec;
        const window = Array.from({ length: size ** 2 }, (_, i) =>
          pixel(unit, y * stride - padding + Math.floor(i / size), x * stride - padding + (i % size)),
        ).filter((at) => at !== null);
        if (spec.kind === 'averagePool2d') {
          for (const at of window) add(inputError, at, e / size ** 2);
          break;
        }
        const largest = Math.max(...window.map((at) => input[at]!));
        const first = window.find((at) => input[at] === largest) ?? from;
        add(inputError, first, e);
        break;
      }
      case 'leakyRelu':
        add(inputError, out, input[out]! > 0 ? e : e * spec.slope);
        break;
      case 'sigmoid': {
        const y1 = 1 / (1 + Math.exp(-input[out]!));
        add(inputError, out, e * y1 * (1 - y1));
        break;
      }
      case 'tanh':
        add(inputError, out, e * (1 - Math.tanh(input[out]!) ** 2));
        break;
      case 'relu':
        if (input[out]! > 0) add(inputError, out, e);
        break;
      case 'dropout': {
        const decisions = mask === null ? 1 : mask.length / n;
        const decision = example * decisions + Math.floor((out % outSize) / (outSize / decisions));
        add(inputError, out, e * (mask?.[decision] ?? 1));
        break;
      }
      case 'flatten':
        add(inputError, out, e);
        break;
    }
  }
  return { inputError, weightGradient, biasGradient };
}
