import * as f from '../fields';
import { address, clear, word } from './memory';

/**
 * The largest value of each window, and which pixel of the input it was. As in PyTorch: the first of equal values in
 * row-major order; a NaN wins over every number, and the last NaN of a window over those before it. Padding is looked at by nobody.
 */
export function maxPool(d: usize, image: i32): void {
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH), channels = word(d, f.CHANNELS);
  const side = word(d, f.SIDE), stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const input = address(d, f.INPUT) + (<usize>(image * height * width * channels) << 2);
  const offset = <usize>(image * outHeight * outWidth * channels) << 2;
  let output = address(d, f.OUTPUT) + offset, argmax = address(d, f.ARGMAX) + offset;
  for (let y = 0; y < outHeight; y++) {
    const top = max(y * stride - padding, 0), bottom = min(y * stride - padding + side, height);
    for (let x = 0; x < outWidth; x++) {
      const left = max(x * stride - padding, 0), right = min(x * stride - padding + side, width);
      for (let c = 0; c < channels; c++) {
        let largest = -f32.MAX_VALUE * 2;
        let at = top * width + left;
        for (let wy = top; wy < bottom; wy++) {
          for (let wx = left; wx < right; wx++) {
            const pixel = wy * width + wx;
            const value = load<f32>(input + (<usize>(pixel * channels + c) << 2));
            if (value > largest || value != value) {
              largest = value;
              at = pixel;
            }
          }
        }
        store<f32>(output, largest);
        store<i32>(argmax, at);
        output += 4;
        argmax += 4;
      }
    }
  }
}

/** Each error goes to the pixel its value was taken from; windows that overlap add up. */
export function maxPoolError(d: usize, image: i32): void {
  const channels = word(d, f.CHANNELS);
  const size = word(d, f.HEIGHT) * word(d, f.WIDTH) * channels;
  const input = address(d, f.INPUT_ERROR) + (<usize>(image * size) << 2);
  const windows = word(d, f.OUT_HEIGHT) * word(d, f.OUT_WIDTH);
  const offset = <usize>(image * windows * channels) << 2;
  let error = address(d, f.OUTPUT_ERROR) + offset, argmax = address(d, f.ARGMAX) + offset;
  clear(input, <usize>size << 2);
  for (let window = windows; window != 0; window--) {
    for (let c = 0; c < channels; c++) {
      const to = input + (<usize>(load<i32>(argmax) * channels + c) << 2);
      store<f32>(to, load<f32>(to) + load<f32>(error));
      error += 4;
      argmax += 4;
    }
  }
}

/** Mean of each window, zeros of the padding counted (PyTorch's default); summed in float64. */
export function averagePool(d: usize, image: i32): void {
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH), channels = word(d, f.CHANNELS);
  const side = word(d, f.SIDE), stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const input = address(d, f.INPUT) + (<usize>(image * height * width * channels) << 2);
  let output = address(d, f.OUTPUT) + (<usize>(image * outHeight * outWidth * channels) << 2);
  const count = <f64>(side * side);
  for (let y = 0; y < outHeight; y++) {
    const top = max(y * stride - padding, 0), bottom = min(y * stride - padding + side, height);
    for (let x = 0; x < outWidth; x++) {
      const left = max(x * stride - padding, 0), right = min(x * stride - padding + side, width);
      for (let c = 0; c < channels; c++) {
        let sum: f64 = 0;
        for (let wy = top; wy < bottom; wy++) {
          for (let wx = left; wx < right; wx++)
            sum += <f64>load<f32>(input + (<usize>((wy * width + wx) * channels + c) << 2));
        }
        store<f32>(output, <f32>(sum / count));
        output += 4;
      }
    }
  }
}

/** Each value of a window gets the same share of its error. */
export function averagePoolError(d: usize, image: i32): void {
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH), channels = word(d, f.CHANNELS);
  const side = word(d, f.SIDE), stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const size = height * width * channels;
  const input = address(d, f.INPUT_ERROR) + (<usize>(image * size) << 2);
  let error = address(d, f.OUTPUT_ERROR) + (<usize>(image * outHeight * outWidth * channels) << 2);
  const count = <f32>(side * side);
  clear(input, <usize>size << 2);
  for (let y = 0; y < outHeight; y++) {
    const top = max(y * stride - padding, 0), bottom = min(y * stride - padding + side, height);
    for (let x = 0; x < outWidth; x++) {
      const left = max(x * stride - padding, 0), right = min(x * stride - padding + side, width);
      for (let c = 0; c < channels; c++) {
        const share = load<f32>(error) / count;
        error += 4;
        for (let wy = top; wy < bottom; wy++) {
          for (let wx = left; wx < right; wx++) {
            const to = input + (<usize>((wy * width + wx) * channels + c) << 2);
            store<f32>(to, load<f32>(to) + share);
          }
        }
      }
    }
  }
}
