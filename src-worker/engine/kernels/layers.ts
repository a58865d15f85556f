/**
 * Backpropagation in plain loops: of convolutions and dense layers the forward pass and the vector-Jacobian products
 * (pooling.ts and activations.ts have those of the other layers). This is the reference that every other implementation is held to, and the one that runs where a library's kernel would hide a NaN.
 *
 * Memory layout (channels last): a minibatch of images is (n, height, width, channels) in one flat array, so the channels
 * of a pixel, and the pixels of a row, lie side by side. A filter is (filters, kernel row, kernel column, channels): then
 * one row of a kernel and the row of the image under it are both contiguous, and a convolution is a dot product of rows.
 *
 * "Error" of a value means dL/d(value), L being the mean loss of the minibatch. Sums are taken in float64 and rounded to
 * float32 once, when they are stored; everything that is stored is float32.
 *
 * An error that is exactly 0 adds 0 * w = 0 to every sum, so it is skipped: after max-pool and ReLU nine in ten are. Not so
 * if w is NaN or infinite (0 * w is then NaN): with such a w nothing is skipped. Skipping changes no bit of a result.
 */

/**
 * Extents of a convolution. outHeight = floor((height + 2 padding - kernel) / stride) + 1, likewise the width. Where a kernel
 * sticks out into the padding there is no product, not one with 0: a NaN weight spreads no further than it reaches.
 */
export interface ConvolutionShape {
  readonly n: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly stride: number;
  /** Rows and columns added on each side. */
  readonly padding: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** output[n,y,x,f] = bias[f] + sum over ky,kx,c of input[n, y stride - padding + ky, x stride - padding + kx, c] filter[f,ky,kx,c] */
export function convolutionForward(
  shape: ConvolutionShape,
  input: Float32Array,
  filter: Float32Array,
  bias: Float32Array,
  output: Float32Array,
): void {
  const { n, height, width, channels, filters, kernel, outHeight, outWidth } = shape;
  const { stride, padding } = shape;
  const rowLength = kernel * channels;
  let out = 0;
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < outHeight; y++) {
      const top = y * stride - padding;
      const [firstRow, endRow] = [Math.max(0, -top), Math.min(kernel, height - top)];
      for (let x = 0; x < outWidth; x++) {
        const left = x * stride - padding;
        const first = Math.max(0, -left) * channels;
        const end = Math.min(kernel, width - left) * channels;
        for (let f = 0; f < filters; f++) {
          let sum = bias[f]!;
          for (let ky = firstRow; ky < endRow; ky++) {
            const from = ((image * height + top + ky) * width + left) * channels;
            const row = (f * kernel + ky) * rowLength;
            for (let i = first; i < end; i++) sum += input[from + i]! * filter[row + i]!;
          }
          output[out++] = sum;
        }
      }
    }
  }
}

/**
 * inputError[n, y stride - padding + ky, x stride - padding + kx, c] += outputError[n,y,x,f] filter[f,ky,kx,c]: each error goes
 * back the way its value came.
 */
export function convolutionBackwardInput(
  shape: ConvolutionShape,
  outputError: Float32Array,
  filter: Float32Array,
  inputError: Float32Array,
): void {
  const { n, height, width, channels, filters, kernel, outHeight, outWidth } = shape;
  const { stride, padding } = shape;
  const rowLength = kernel * channels;
  const skipZeros = allFinite(filter);
  const sums = new Float64Array(height * width * channels);
  let out = 0;
  for (let image = 0; image < n; image++) {
    sums.fill(0);
    for (let y = 0; y < outHeight; y++) {
      const top = y * stride - padding;
      const [firstRow, endRow] = [Math.max(0, -top), Math.min(kernel, height - top)];
      for (let x = 0; x < outWidth; x++) {
        const left = x * stride - padding;
        const first = Math.max(0, -left) * channels;
        const end = Math.min(kernel, width - left) * channels;
        for (let f = 0; f < filters; f++) {
          const error = outputError[out++]!;
          if (error === 0 && skipZeros) continue;
          for (let ky = firstRow; ky < endRow; ky++) {
            const to = ((top + ky) * width + left) * channels;
            const row = (f * kernel + ky) * rowLength;
            for (let i = first; i < end; i++) sums[to + i]! += error * filter[row + i]!;
          }
        }
      }
    }
    inputError.set(sums, image * sums.length);
  }
}

/**
 * filterGradient[f,ky,kx,c] = sum over n,y,x of outputError[n,y,x,f] input[n, y stride - padding + ky, x stride - padding + kx, c]
 * biasGradient[f] = sum over n,y,x of outputError[n,y,x,f]
 */
export function convolutionBackwardFilter(
  shape: ConvolutionShape,
  input: Float32Array,
  outputError: Float32Array,
  filterGradient: Float32Array,
  biasGradient: Float32Array,
): void {
  const { n, height, width, channels, filters, kernel, outHeight, outWidth } = shape;
  const { stride, padding } = shape;
  const rowLength = kernel * channels;
  const skipZeros = allFinite(input);
  const sums = new Float64Array(filterGradient.length);
  const biasSums = new Float64Array(filters);
  let out = 0;
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < outHeight; y++) {
      const top = y * stride - padding;
      const [firstRow, endRow] = [Math.max(0, -top), Math.min(kernel, height - top)];
      for (let x = 0; x < outWidth; x++) {
        const left = x * stride - padding;
        const first = Math.max(0, -left) * channels;
        const end = Math.min(kernel, width - left) * channels;
        for (let f = 0; f < filters; f++) {
          const error = outputError[out++]!;
          if (error === 0 && skipZeros) continue;
          biasSums[f]! += error;
          for (let ky = firstRow; ky < endRow; ky++) {
            const from = ((image * height + top + ky) * width + left) * channels;
            const row = (f * kernel + ky) * rowLength;
            for (let i = first; i < end; i++) sums[row + i]! += error * input[from + i]!;
          }
        }
      }
    }
  }
  filterGradient.set(sums);
  biasGradient.set(biasSums);
}

/** output[n,o] = bias[o] + sum over i of input[n,i] weight[o,i] */
export function denseForward(
  n: number,
  input: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  output: Float32Array,
): void {
  const units = bias.length;
  const inputs = weight.length / units;
  for (let example = 0; example < n; example++) {
    for (let o = 0; o < units; o++) {
      let sum = bias[o]!;
      for (let i = 0; i < inputs; i++) sum += input[example * inputs + i]! * weight[o * inputs + i]!;
      output[example * units + o] = sum;
    }
  }
}

/** inputError[n,i] = sum over o of outputError[n,o] weight[o,i] */
export function denseBackwardInput(
  n: number,
  outputError: Float32Array,
  weight: Float32Array,
  inputError: Float32Array,
): void {
  const units = outputError.length / n;
  const inputs = weight.length / units;
  const skipZeros = allFinite(weight);
  const sums = new Float64Array(inputs);
  for (let example = 0; example < n; example++) {
    sums.fill(0);
    for (let o = 0; o < units; o++) {
      const error = outputError[example * units + o]!;
      if (error === 0 && skipZeros) continue;
      for (let i = 0; i < inputs; i++) sums[i]! += error * weight[o * inputs + i]!;
    }
    inputError.set(sums, example * inputs);
  }
}

/**
 * weightGradient[o,i] = sum over n of outputError[n,o] input[n,i]
 * biasGradient[o] = sum over n of outputError[n,o]
 */
export function denseBackwardWeight(
  n: number,
  input: Float32Array,
  outputError: Float32Array,
  weightGradient: Float32Array,
  biasGradient: Float32Array,
): void {
  const units = biasGradient.length;
  const inputs = weightGradient.length / units;
  const skipZeros = allFinite(input);
  const sums = new Float64Array(weightGradient.length);
  const biasSums = new Float64Array(units);
  for (let example = 0; example < n; example++) {
    for (let o = 0; o < units; o++) {
      const error = outputError[example * units + o]!;
      if (error === 0 && skipZeros) continue;
      biasSums[o]! += error;
      for (let i = 0; i < inputs; i++) sums[o * inputs + i]! += error * input[example * inputs + i]!;
    }
  }
  weightGradient.set(sums);
  biasGradient.set(biasSums);
}

/** sums[c] = sum over all rows of values[row,c]: the gradient of a bias, from the error of what it was added to. */
export function sumsByChannel(values: Float32Array, sums: Float32Array): void {
  const exact = new Float64Array(sums.length);
  for (let row = 0; row < values.length; row += exact.length) {
    for (let c = 0; c < exact.length; c++) exact[c]! += values[row + c]!;
  }
  sums.set(exact);
}

/** x * 0 is 0 for every finite x and NaN for every other, so one sum tells. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
