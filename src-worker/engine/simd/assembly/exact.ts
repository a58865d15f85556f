import * as f from '../fields';
import { padImage, unpackGradient, unpad } from './convolution';
import { address, clear, filledUp, word } from './memory';

/**
 * Convolutions in plain loops, for minibatches in which something is NaN or infinite: every product is taken but those with
 * the padding, as in PyTorch. Slow, and hardly ever needed.
 */

export function exactConvolution(d: usize, image: i32): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const filled = <usize>filledUp(filters) << 2;
  padImage(d, image);
  const input = address(d, f.INPUT) + (<usize>(image * height * width * channels) << 2);
  let to = address(d, f.OUTPUT) + (<usize>(image * outHeight * outWidth * filters) << 2);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let o = 0; o < filters; o++) {
        let sum = load<f32>(address(d, f.FILTER_BIAS) + (<usize>o << 2));
        for (let ky = 0; ky < side; ky++) {
          const iy = y * stride - padding + ky;
          if (iy < 0 || iy >= height) continue;
          for (let kx = 0; kx < side; kx++) {
            const ix = x * stride - padding + kx;
            if (ix < 0 || ix >= width) continue;
            let from = input + (<usize>((iy * width + ix) * channels) << 2);
            let weight = address(d, f.FILTER) + <usize>((ky * side + kx) * channels) * filled + (<usize>o << 2);
            for (let c = 0; c < channels; c++) {
              sum += load<f32>(from) * load<f32>(weight);
              from += 4;
              weight += filled;
            }
          }
        }
        store<f32>(to, sum);
        to += 4;
      }
    }
  }
}

/** Of four filters. */
export function exactGradient(d: usize, item: i32): void {
  const filters = word(d, f.OUT_CHANNELS);
  for (let o = item << 2; o < min((item << 2) + 4, filters); o++) gradientOf(d, o);
}

function gradientOf(d: usize, o: i32): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const filledPlaces = filledUp(side * channels);
  const gradient = address(d, f.GRADIENT_ROWS) + (<usize>(o * side * filledPlaces) << 2);
  clear(gradient, <usize>(side * filledPlaces) << 2);
  let bias: f64 = 0;
  let error = address(d, f.OUTPUT_ERROR) + (<usize>o << 2);
  for (let image = 0; image < word(d, f.EXAMPLES); image++) {
    const input = address(d, f.INPUT) + (<usize>(image * height * width * channels) << 2);
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++, error += <usize>filters << 2) {
        const value = load<f32>(error);
        bias += <f64>value;
        for (let ky = 0; ky < side; ky++) {
          const iy = y * stride - padding + ky;
          if (iy < 0 || iy >= height) continue;
          for (let kx = 0; kx < side; kx++) {
            const ix = x * stride - padding + kx;
            if (ix < 0 || ix >= width) continue;
            let from = input + (<usize>((iy * width + ix) * channels) << 2);
            let to = gradient + (<usize>(ky * filledPlaces + kx * channels) << 2);
            for (let c = 0; c < channels; c++) {
              store<f32>(to, load<f32>(to) + value * load<f32>(from));
              from += 4;
              to += 4;
            }
          }
        }
      }
    }
  }
  store<f32>(address(d, f.BIAS_GRADIENT) + (<usize>o << 2), <f32>bias);
  unpackGradient(d, o);
}

/** Every product of an error and a weight, in plain loops: right for NaN and infinity too. */
export function exactInputError(d: usize, image: i32, scratch: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const stride = word(d, f.STRIDE), outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const sourceWidth = word(d, f.SOURCE_WIDTH);
  const filled = filledUp(filters);
  clear(scratch, <usize>(word(d, f.SOURCE_HEIGHT) * sourceWidth * channels) << 2);
  let at = address(d, f.OUTPUT_ERROR) + (<usize>(image * outHeight * outWidth * filters) << 2);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let o = 0; o < filters; o++) {
        const error = load<f32>(at);
        at += 4;
        for (let ky = 0; ky < side; ky++) {
          let to = scratch + (<usize>(((y * stride + ky) * sourceWidth + x * stride) * channels) << 2);
          let from = address(d, f.FILTER) + (<usize>(ky * side * channels * filled + o) << 2);
          for (let place = side * channels; place != 0; place--) {
            store<f32>(to, load<f32>(to) + error * load<f32>(from));
            to += 4;
            from += <usize>filled << 2;
          }
        }
      }
    }
  }
  unpad(d, image, scratch);
}

