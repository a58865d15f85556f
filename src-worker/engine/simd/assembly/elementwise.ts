import * as f from '../fields';
import { drawFactors } from './dropout';
import { address, float, word } from './memory';

/** Layers without parameters, one example at a time. Whatever lies behind an example is left alone. */

// @ts-ignore: decorator
@inline
function exampleOf(d: usize, field: i32, size: i32, example: i32): usize {
  return address(d, field) + (<usize>(example * size) << 2);
}

/** max(x, 0); NaN stays NaN. */
export function rectify(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  let from = exampleOf(d, f.INPUT, size, example), to = exampleOf(d, f.OUTPUT, size, example);
  let left = size;
  const zero = f32x4.splat(0);
  for (; left >= 4; left -= 4, from += 16, to += 16) {
    const x = v128.load(from);
    v128.store(to, v128.andnot(x, f32x4.le(x, zero)));
  }
  for (; left != 0; left--, from += 4, to += 4) {
    const x = load<f32>(from);
    store<f32>(to, x <= 0 ? 0 : x);
  }
}

/** The error passes where the output is not 0, and at NaN (PyTorch's threshold_backward). */
export function rectifyError(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  let value = exampleOf(d, f.OUTPUT, size, example);
  let from = exampleOf(d, f.OUTPUT_ERROR, size, example), to = exampleOf(d, f.INPUT_ERROR, size, example);
  let left = size;
  const zero = f32x4.splat(0);
  for (; left >= 4; left -= 4, from += 16, to += 16, value += 16)
    v128.store(to, v128.andnot(v128.load(from), f32x4.le(v128.load(value), zero)));
  for (; left != 0; left--, from += 4, to += 4, value += 4)
    store<f32>(to, load<f32>(value) <= 0 ? 0 : load<f32>(from));
}

/** x > 0 ? x : slope x */
export function leakyRectify(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  const slope = float(d, f.SLOPE);
  let from = exampleOf(d, f.INPUT, size, example), to = exampleOf(d, f.OUTPUT, size, example);
  for (let left = size; left != 0; left--, from += 4, to += 4) {
    const x = load<f32>(from);
    store<f32>(to, x > 0 ? x : x * slope);
  }
}

/** The error where the input is above 0, elsewhere slope times it. */
export function leakyRectifyError(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  const slope = float(d, f.SLOPE);
  let value = exampleOf(d, f.INPUT, size, example);
  let from = exampleOf(d, f.OUTPUT_ERROR, size, example), to = exampleOf(d, f.INPUT_ERROR, size, example);
  for (let left = size; left != 0; left--, from += 4, to += 4, value += 4) {
    const error = load<f32>(from);
    store<f32>(to, load<f32>(value) > 0 ? error : error * slope);
  }
}

/** Dropout: times the factors; where it is off, a copy. */
export function multiply(d: usize, example: i32, from: usize, to: usize): void {
  const size = word(d, f.OUTPUT_SIZE);
  if (word(d, f.FACTORS_ON) == 0) {
    memory.copy(to, from, <usize>size << 2);
    return;
  }
  const channels = word(d, f.FACTORS_BY_CHANNEL);
  if (channels != 0) {
    const factors = exampleOf(d, f.FACTORS, channels, example);
    for (let pixel = size / channels; pixel != 0; pixel--) {
      for (let c = 0; c < channels; c++, from += 4, to += 4)
        store<f32>(to, load<f32>(from) * load<f32>(factors + (<usize>c << 2)));
    }
    return;
  }
  let factors = exampleOf(d, f.FACTORS, size, example);
  let left = size;
  for (; left >= 4; left -= 4, from += 16, to += 16, factors += 16)
    v128.store(to, f32x4.mul(v128.load(from), v128.load(factors)));
  for (; left != 0; left--, from += 4, to += 4, factors += 4)
    store<f32>(to, load<f32>(from) * load<f32>(factors));
}

export function multiplyForward(d: usize, example: i32, scratch: usize): void {
  const size = word(d, f.OUTPUT_SIZE);
  if (word(d, f.DRAWS) != 0) drawFactors(d, example, scratch);
  multiply(d, example, exampleOf(d, f.INPUT, size, example), exampleOf(d, f.OUTPUT, size, example));
}

export function multiplyError(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  multiply(d, example, exampleOf(d, f.OUTPUT_ERROR, size, example), exampleOf(d, f.INPUT_ERROR, size, example));
}

/** (pixels, channels) -> (channels, pixels) */
export function channelsFirst(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  transpose(
    exampleOf(d, f.INPUT, size, example), exampleOf(d, f.OUTPUT, size, example),
    word(d, f.HEIGHT) * word(d, f.WIDTH), word(d, f.CHANNELS),
  );
}

export function channelsFirstError(d: usize, example: i32): void {
  const size = word(d, f.OUTPUT_SIZE);
  transpose(
    exampleOf(d, f.OUTPUT_ERROR, size, example), exampleOf(d, f.INPUT_ERROR, size, example),
    word(d, f.CHANNELS), word(d, f.HEIGHT) * word(d, f.WIDTH),
  );
}

function transpose(source: usize, to: usize, rows: i32, columns: i32): void {
  const step = <usize>columns << 2;
  for (let column = 0; column < columns; column++) {
    let from = source + (<usize>column << 2);
    for (let row = rows; row != 0; row--, to += 4, from += step) store<f32>(to, load<f32>(from));
  }
}
