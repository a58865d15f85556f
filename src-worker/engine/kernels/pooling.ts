/**
 * Pooling over square windows, channels last (see layers.ts). Where windows overlap, what comes back through them adds up, in
 * float64, rounded to float32 once.
 */

/** outHeight = floor((height + 2 padding - size) / stride) + 1, likewise the width; padding <= size / 2. */
export interface PoolShape {
  readonly n: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Side of the window. */
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/**
 * Calls `each` for every window, in the order of the outputs: with the index of its first output (of channel 0), the index of
 * channel 0 of the image's first pixel, and which rows and columns of the image are in it.
 */
function eachWindow(
  { n, height, width, channels, size, stride, padding, outHeight, outWidth }: PoolShape,
  each: (out: number, image: number, top: number, bottom: number, left: number, right: number) => void,
): void {
  let out = 0;
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < outHeight; y++) {
      const top = y * stride - padding;
      for (let x = 0; x < outWidth; x++, out += channels) {
        const left = x * stride - padding;
        each(
          out,
          image * height * width * channels,
          Math.max(0, top),
          Math.min(height, top + size),
          Math.max(0, left),
          Math.min(width, left + size),
        );
      }
    }
  }
}

/**
 * The largest value of each window, and in `argmax` where in `input` it was. As in PyTorch: the first of equal values in
 * row-major order; a NaN wins over every number, and the last NaN of a window over those before it.
 */
export function maxPoolForward(
  shape: PoolShape,
  input: Float32Array,
  output: Float32Array,
  argmax: Int32Array,
): void {
  const { width, channels } = shape;
  eachWindow(shape, (out, image, top, bottom, left, right) => {
    for (let c = 0; c < channels; c++) {
      let largest = -Infinity;
      let at = image + (top * width + left) * channels + c;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const index = image + (row * width + column) * channels + c;
          const value = input[index]!;
          if (value > largest || Number.isNaN(value)) {
            largest = value;
            at = index;
          }
        }
      }
      output[out + c] = largest;
      argmax[out + c] = at;
    }
  });
}

/** Each error goes to the place its value was taken from; all others did not matter. */
export function maxPoolBackward(
  { size, stride }: PoolShape,
  outputError: Float32Array,
  argmax: Int32Array,
  inputError: Float32Array,
): void {
  if (stride >= size) {
    inputError.fill(0);
    for (let i = 0; i < outputError.length; i++) inputError[argmax[i]!] = outputError[i]!;
    return;
  }
  const sums = new Float64Array(inputError.length);
  for (let i = 0; i < outputError.length; i++) sums[argmax[i]!]! += outputError[i]!;
  inputError.set(sums);
}

/** The sum of each window / size^2; zeros of the padding count. */
export function averagePoolForward(shape: PoolShape, input: Float32Array, output: Float32Array): void {
  const { width, channels, size } = shape;
  eachWindow(shape, (out, image, top, bottom, left, right) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          sum += input[image + (row * width + column) * channels + c]!;
        }
      }
      output[out + c] = sum / size ** 2;
    }
  });
}

/** Each value of a window gets 1 / size^2 of the window's error. */
export function averagePoolBackward(
  shape: PoolShape,
  outputError: Float32Array,
  inputError: Float32Array,
): void {
  const { width, channels, size } = shape;
  const sums = new Float64Array(inputError.length);
  eachWindow(shape, (out, image, top, bottom, left, right) => {
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const to = image + (row * width + column) * channels;
        for (let c = 0; c < channels; c++) sums[to + c]! += outputError[out + c]!;
      }
    }
  });
  for (let i = 0; i < sums.length; i++) inputError[i] = sums[i]! / size ** 2;
}
