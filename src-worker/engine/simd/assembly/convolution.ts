import * as f from '../fields';
import { drawFactors } from './dropout';
import { address, clear, filledUp, float, multiplyAdd, roundedSums, splatOf, storeLanes, word } from './memory';
import { convolveImage, convolvePoolImage } from './tile';
import { largestMagnitude } from './update';

/** Weights and bias in the order in which the forward pass reads them; once after every change of them. */
export function packConvolution(d: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const filled = filledUp(filters);
  const filter = address(d, f.FILTER);
  memory.copy(address(d, f.FILTER_BIAS), address(d, f.BIAS), <usize>filters << 2);
  let at = address(d, f.WEIGHT);
  for (let o = 0; o < filters; o++) {
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          store<f32>(filter + (<usize>(((y * side + x) * channels + c) * filled + o) << 2), load<f32>(at));
          at += 4;
        }
      }
    }
  }
}

/** The same filter by filter, for errors that are put back one by one. */
export function packRows(d: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const filledPlaces = filledUp(side * channels);
  const rows = address(d, f.FILTER_ROWS);
  let at = address(d, f.WEIGHT);
  for (let o = 0; o < filters; o++) {
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          store<f32>(rows + (<usize>((o * side + y) * filledPlaces + x * channels + c) << 2), load<f32>(at));
          at += 4;
        }
      }
    }
  }
}

/** The filter turned by 180 degrees, inputs and outputs exchanged: what brings errors back as a convolution of them. */
export function packTurned(d: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const turned = address(d, f.TURNED_FILTER);
  const filled = filledUp(channels);
  let at = address(d, f.WEIGHT);
  for (let o = 0; o < filters; o++) {
    for (let c = 0; c < channels; c++) {
      for (let y = side - 1; y >= 0; y--) {
        for (let x = side - 1; x >= 0; x--) {
          store<f32>(turned + (<usize>(((y * side + x) * filters + o) * filled + c) << 2), load<f32>(at));
          at += 4;
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
export function sourceOf(d: usize, image: i32): usize {
  const size = word(d, f.SOURCE_HEIGHT) * word(d, f.SOURCE_WIDTH) * word(d, f.CHANNELS);
  return address(d, f.SOURCE) + (<usize>(image * size) << 2);
}

/** The border is zero from the beginning and stays so. */
export function padImage(d: usize, image: i32): void {
  const height = word(d, f.HEIGHT), padding = word(d, f.PADDING), channels = word(d, f.CHANNELS);
  const rowBytes = <usize>(word(d, f.WIDTH) * channels) << 2;
  const sourceRow = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  let from = address(d, f.INPUT) + <usize>image * <usize>height * rowBytes;
  let to = sourceOf(d, image) + <usize>padding * sourceRow + (<usize>(padding * channels) << 2);
  for (let y = 0; y < height; y++) {
    memory.copy(to, from, rowBytes);
    from += rowBytes;
    to += sourceRow;
  }
}

export function convolution(d: usize, image: i32): void {
  const channels = word(d, f.CHANNELS), stride = word(d, f.STRIDE), side = word(d, f.SIDE);
  const filters = word(d, f.OUT_CHANNELS), height = word(d, f.OUT_HEIGHT), width = word(d, f.OUT_WIDTH);
  const rowBytes = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  if (word(d, f.PADDING) != 0) padImage(d, image);
  const outputRow = <usize>(width * filters) << 2;
  convolveImage(
    sourceOf(d, image), rowBytes, <usize>(stride * channels) << 2, <usize>stride * rowBytes, side, side * channels,
    address(d, f.FILTER), address(d, f.FILTER_BIAS), filters,
    address(d, f.OUTPUT) + <usize>(image * height) * outputRow, height, width, outputRow,
  );
}

/** Below this no sum of products overflows, so 0 times any of them is 0. */
const SURELY_FINITE: f64 = 1e37;

export function convolutionPool(d: usize, image: i32, scratch: usize): void {
  const channels = word(d, f.CHANNELS), stride = word(d, f.STRIDE), side = word(d, f.SIDE);
  const filters = word(d, f.OUT_CHANNELS), width = word(d, f.OUT_WIDTH);
  const poolHeight = word(d, f.POOL_HEIGHT), poolWidth = word(d, f.POOL_WIDTH);
  const rowBytes = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  if (word(d, f.PADDING) != 0) padImage(d, image);
  const offset = <usize>(image * poolHeight * poolWidth * filters) << 2;
  const dropout = address(d, f.DROPOUT);
  if (dropout != 0 && word(dropout, f.DRAWS) != 0) drawFactors(dropout, image, scratch);
  const factors = word(d, f.FACTORS_ON) == 0 ? <usize>0 : address(d, f.FACTORS) + (<usize>(image * filters) << 2);
  const output = address(d, f.POOL_OUTPUT) + offset, argmax = address(d, f.ARGMAX) + offset;
  const size = word(d, f.INPUT_SIZE);
  const magnitude = largestMagnitude(address(d, f.INPUT) + (<usize>(image * size) << 2), size);
  store<f32>(address(d, f.INPUT_MAGNITUDES) + (<usize>image << 2), magnitude);
  if (factors != 0 && <f64>magnitude * float(d, f.SUM_FACTOR) + float(d, f.SUM_ADDEND) < SURELY_FINITE) {
    keptChannels(d, image, factors, output, argmax, scratch);
    return;
  }
  convolvePoolImage(
    sourceOf(d, image), rowBytes, <usize>(stride * channels) << 2, <usize>stride * rowBytes, side, side * channels,
    address(d, f.FILTER), address(d, f.FILTER_BIAS), filters,
    output, argmax, poolHeight, poolWidth, width, factors, word(d, f.RELU_PLACE),
  );
}

/**
 * The same of the channels that dropout keeps, gathered side by side. A dropped one is 0 at every pixel, so its largest is
 * the first pixel of the window.
 */
function keptChannels(d: usize, image: i32, factors: usize, output: usize, argmax: usize, scratch: usize): void {
  const channels = word(d, f.CHANNELS), stride = word(d, f.STRIDE), side = word(d, f.SIDE);
  const filters = word(d, f.OUT_CHANNELS), width = word(d, f.OUT_WIDTH);
  const poolHeight = word(d, f.POOL_HEIGHT), poolWidth = word(d, f.POOL_WIDTH);
  const rowBytes = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  // Scratch: which channels are kept, their bias, their factors, results, argmax, weights; each filled up.
  const block = <usize>filledUp(filters) << 2;
  const kept = scratch, bias = scratch + block, keptFactors = bias + block;
  let count = 0;
  for (let o = 0; o < filters; o++) {
    const factor = load<f32>(factors + (<usize>o << 2));
    if (factor == 0) continue;
    const at = <usize>count << 2;
    store<i32>(kept + at, o << 2);
    store<f32>(bias + at, load<f32>(address(d, f.FILTER_BIAS) + (<usize>o << 2)));
    store<f32>(keptFactors + at, factor);
    count++;
  }
  const windows = poolHeight * poolWidth;
  clear(output, <usize>(windows * filters) << 2);
  let out = output, arg = argmax;
  for (let y = 0; y < poolHeight; y++) {
    for (let x = 0; x < poolWidth; x++) {
      const first = (y << 1) * width + (x << 1);
      for (let o = 0; o < filters; o++, arg += 4) store<i32>(arg, first);
    }
  }
  if (count == 0) return;
  const filled = filledUp(count);
  for (let i = count; i < filled; i++) store<i32>(kept + (<usize>i << 2), load<i32>(kept));
  const results = keptFactors + block;
  const places = results + (<usize>(windows * count) << 2) + 16;
  const gathered = places + (<usize>(windows * count) << 2) + 16;
  const taps = side * side * channels;
  let from = address(d, f.FILTER), to = gathered;
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < filled; i += 4) {
      const at = kept + (<usize>i << 2);
      let four = v128.load_zero<f32>(from + load<usize>(at));
      four = v128.load_lane<f32>(from + load<usize>(at, 4), four, 1);
      four = v128.load_lane<f32>(from + load<usize>(at, 8), four, 2);
      four = v128.load_lane<f32>(from + load<usize>(at, 12), four, 3);
      v128.store(to, four);
      to += 16;
    }
    from += block;
  }
  convolvePoolImage(
    sourceOf(d, image), rowBytes, <usize>(stride * channels) << 2, <usize>stride * rowBytes, side, side * channels,
    gathered, bias, count, results, places, poolHeight, poolWidth, width, keptFactors, word(d, f.RELU_PLACE),
  );
  out = output;
  arg = argmax;
  let result = results, place = places;
  for (let window = 0; window < windows; window++) {
    for (let i = 0; i < count; i++) {
      const o = load<usize>(kept + (<usize>i << 2));
      store<f32>(out + o, load<f32>(result));
      store<i32>(arg + o, load<i32>(place));
      result += 4;
      place += 4;
    }
    out += <usize>filters << 2;
    arg += <usize>filters << 2;
  }
}

/**
 * Which errors of the convolution's output are not 0: max-pool sends each error to one pixel, ReLU and dropout stop more.
 * Filter by filter, as pairs (error, place of its patch in the image).
 */
export function errorList(d: usize, image: i32): void {
  const filters = word(d, f.OUT_CHANNELS);
  const windows = word(d, f.POOL_HEIGHT) * word(d, f.POOL_WIDTH);
  const offset = <usize>(image * windows * filters) << 2;
  const output = address(d, f.POOL_OUTPUT) + offset, error = address(d, f.POOL_ERROR) + offset;
  const argmax = address(d, f.ARGMAX) + offset;
  const relu = word(d, f.RELU_PLACE);
  const factors = word(d, f.FACTORS_ON) == 0 ? <usize>0 : address(d, f.FACTORS) + (<usize>(image * filters) << 2);
  const patches = address(d, f.PATCHES);
  store<f32>(address(d, f.ERROR_MAGNITUDES) + (<usize>image << 2), largestMagnitude(error, windows * filters));
  for (let o = 0; o < filters; o++) {
    const factor = factors == 0 ? <f32>1 : load<f32>(factors + (<usize>o << 2));
    const list = address(d, f.LIST) + (<usize>((image * filters + o) * windows) << 3);
    let end = list;
    let at = <usize>o << 2;
    if (factor != 0) {
      const step = <usize>filters << 2;
      for (let window = windows; window != 0; window--) {
        const value = load<f32>(error + at) * factor;
        store<f32>(end, value);
        store<i32>(end, load<i32>(patches + (<usize>load<i32>(argmax + at) << 2)), 4);
        // Without a branch: which errors are 0 cannot be foretold.
        const passes = relu == 0 ? <u32>1 : <u32>!(load<f32>(output + at) <= 0);
        end += <usize>((<u32>(value != 0) & passes) << 3);
        at += step;
      }
    }
    store<i32>(address(d, f.LIST_COUNTS) + (<usize>(image * filters + o) << 2), <i32>((end - list) >> 3));
  }
}

/** Puts each listed error, times its filter, back over the patch it came from. */
export function listedInputError(d: usize, image: i32, scratch: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const windows = word(d, f.POOL_HEIGHT) * word(d, f.POOL_WIDTH);
  const sourceWidth = word(d, f.SOURCE_WIDTH), sourceHeight = word(d, f.SOURCE_HEIGHT);
  const rowBytes = <usize>(sourceWidth * channels) << 2;
  const places = side * channels;
  const vectors = (places + 3) >> 2;
  const filterRow = <usize>vectors << 4;
  clear(scratch, <usize>(sourceHeight * sourceWidth * channels + 4) << 2);
  for (let o = 0; o < filters; o++) {
    const filter = address(d, f.FILTER_ROWS) + <usize>(o * side) * filterRow;
    let entry = address(d, f.LIST) + (<usize>((image * filters + o) * windows) << 3);
    for (let left = load<i32>(address(d, f.LIST_COUNTS) + (<usize>(image * filters + o) << 2)); left != 0; left--) {
      const error = splatOf(entry);
      let to = scratch + load<usize>(entry, 4);
      let from = filter;
      entry += 8;
      for (let row = 0; row < side; row++) {
        let t = to;
        let left4 = vectors;
        for (; left4 >= 4; left4 -= 4) {
          v128.store(t, multiplyAdd(error, v128.load(from), v128.load(t)));
          v128.store(t, multiplyAdd(error, v128.load(from, 16), v128.load(t, 16)), 16);
          v128.store(t, multiplyAdd(error, v128.load(from, 32), v128.load(t, 32)), 32);
          v128.store(t, multiplyAdd(error, v128.load(from, 48), v128.load(t, 48)), 48);
          t += 64;
          from += 64;
        }
        for (; left4 != 0; left4--) {
          v128.store(t, multiplyAdd(error, v128.load(from), v128.load(t)));
          t += 16;
          from += 16;
        }
        to += rowBytes;
      }
    }
  }
  unpad(d, image, scratch);
}

export function unpad(d: usize, image: i32, scratch: usize): void {
  const height = word(d, f.HEIGHT), padding = word(d, f.PADDING), channels = word(d, f.CHANNELS);
  const rowBytes = <usize>(word(d, f.WIDTH) * channels) << 2;
  const sourceRow = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  let to = address(d, f.INPUT_ERROR) + <usize>image * <usize>height * rowBytes;
  let from = scratch + <usize>padding * sourceRow + (<usize>(padding * channels) << 2);
  if (padding == 0) {
    memory.copy(to, from, <usize>height * rowBytes);
    return;
  }
  for (let y = 0; y < height; y++) {
    memory.copy(to, from, rowBytes);
    from += sourceRow;
    to += rowBytes;
  }
}

/** Images whose products are summed before they are added to the rest: shorter sums, smaller rounding errors. */
const IMAGES_AT_ONCE: i32 = 16;

// @ts-ignore: decorator
@inline
function addLanes(to: usize, value: v128): void {
  v128.store(to, f32x4.add(v128.load(to), value));
}

// @ts-ignore: decorator
@inline
function gradientVectors(
  count: i32, to: usize, source: usize, imageBytes: usize, list: usize, listBytes: usize, counts: usize, countBytes: usize, images: i32,
): void {
  let a = f32x4.splat(0), b = a, c = a, e = a, g = a, h = a, k = a;
  for (; images != 0; images--) {
    let entry = list;
    for (let left = load<i32>(counts); left != 0; left--) {
      const error = splatOf(entry);
      const from = source + load<usize>(entry, 4);
      entry += 8;
      a = multiplyAdd(error, v128.load(from), a);
      if (count > 1) b = multiplyAdd(error, v128.load(from, 16), b);
      if (count > 2) c = multiplyAdd(error, v128.load(from, 32), c);
      if (count > 3) e = multiplyAdd(error, v128.load(from, 48), e);
      if (count > 4) g = multiplyAdd(error, v128.load(from, 64), g);
      if (count > 5) h = multiplyAdd(error, v128.load(from, 80), h);
      if (count > 6) k = multiplyAdd(error, v128.load(from, 96), k);
    }
    source += imageBytes;
    list += listBytes;
    counts += countBytes;
  }
  addLanes(to, a);
  if (count > 1) addLanes(to + 16, b);
  if (count > 2) addLanes(to + 32, c);
  if (count > 3) addLanes(to + 48, e);
  if (count > 4) addLanes(to + 64, g);
  if (count > 5) addLanes(to + 80, h);
  if (count > 6) addLanes(to + 96, k);
}

/** The same of a whole small kernel, `rows` x `count` vectors, in one go over the list. */
// @ts-ignore: decorator
@inline
function gradientOfAll(
  rows: i32, count: i32, to: usize, source: usize, rowBytes: usize, imageBytes: usize,
  list: usize, listBytes: usize, counts: usize, countBytes: usize, images: i32,
): void {
  const zero = f32x4.splat(0);
  let a = zero, b = zero, c = zero, e = zero, g = zero, h = zero, k = zero, l = zero, m = zero, o = zero;
  for (; images != 0; images--) {
    let entry = list;
    for (let left = load<i32>(counts); left != 0; left--) {
      const error = splatOf(entry);
      let from = source + load<usize>(entry, 4);
      entry += 8;
      if (count == 2) {
        a = multiplyAdd(error, v128.load(from), a);
        b = multiplyAdd(error, v128.load(from, 16), b);
        from += rowBytes;
        c = multiplyAdd(error, v128.load(from), c);
        e = multiplyAdd(error, v128.load(from, 16), e);
        from += rowBytes;
        g = multiplyAdd(error, v128.load(from), g);
        h = multiplyAdd(error, v128.load(from, 16), h);
        if (rows > 3) {
          from += rowBytes;
          k = multiplyAdd(error, v128.load(from), k);
          l = multiplyAdd(error, v128.load(from, 16), l);
        }
        if (rows > 4) {
          from += rowBytes;
          m = multiplyAdd(error, v128.load(from), m);
          o = multiplyAdd(error, v128.load(from, 16), o);
        }
      } else {
        a = multiplyAdd(error, v128.load(from), a);
        if (count > 2) { b = multiplyAdd(error, v128.load(from, 16), b); c = multiplyAdd(error, v128.load(from, 32), c); }
        from += rowBytes;
        e = multiplyAdd(error, v128.load(from), e);
        if (count > 2) { g = multiplyAdd(error, v128.load(from, 16), g); h = multiplyAdd(error, v128.load(from, 32), h); }
        from += rowBytes;
        k = multiplyAdd(error, v128.load(from), k);
        if (count > 2) { l = multiplyAdd(error, v128.load(from, 16), l); m = multiplyAdd(error, v128.load(from, 32), m); }
      }
    }
    source += imageBytes;
    list += listBytes;
    counts += countBytes;
  }
  if (count == 2) {
    addLanes(to, a); addLanes(to + 16, b); addLanes(to + 32, c); addLanes(to + 48, e); addLanes(to + 64, g); addLanes(to + 80, h);
    if (rows > 3) { addLanes(to + 96, k); addLanes(to + 112, l); }
    if (rows > 4) { addLanes(to + 128, m); addLanes(to + 144, o); }
  } else if (count > 2) {
    addLanes(to, a); addLanes(to + 16, b); addLanes(to + 32, c); addLanes(to + 48, e); addLanes(to + 64, g); addLanes(to + 80, h);
    addLanes(to + 96, k); addLanes(to + 112, l); addLanes(to + 128, m);
  } else {
    addLanes(to, a); addLanes(to + 16, e); addLanes(to + 32, k);
  }
}

/** Gradient of one filter: each listed error times the patch it belongs to. */
export function listedGradient(d: usize, o: i32): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const windows = word(d, f.POOL_HEIGHT) * word(d, f.POOL_WIDTH);
  const imageBytes = sourceOf(d, 1) - sourceOf(d, 0);
  const rowBytes = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  const vectors = (side * channels + 3) >> 2;
  const rowOut = <usize>vectors << 4;
  const listBytes = <usize>(filters * windows) << 3, countBytes = <usize>filters << 2;
  const gradient = address(d, f.GRADIENT_ROWS) + <usize>(o * side) * rowOut;
  clear(gradient, <usize>side * rowOut);
  const all = word(d, f.EXAMPLES);
  // In float64: many errors of either sign leave little.
  let biasSum: f64 = 0;
  for (let first = 0; first < all; first += IMAGES_AT_ONCE) {
    const images = min(IMAGES_AT_ONCE, all - first);
    const list = address(d, f.LIST) + <usize>first * listBytes + (<usize>(o * windows) << 3);
    const counts = address(d, f.LIST_COUNTS) + <usize>first * countBytes + (<usize>o << 2);
    for (let image = 0; image < images; image++) {
      let entry = list + <usize>image * listBytes;
      for (let left = load<i32>(counts + <usize>image * countBytes); left != 0; left--) {
        biasSum += <f64>load<f32>(entry);
        entry += 8;
      }
    }
    const source = sourceOf(d, first);
    // The first layer's kernels, mostly: 5 x 5 and 3 x 3 on one channel, 3 x 3 on three.
    if (side == 5 && vectors == 2) {
      gradientOfAll(5, 2, gradient, source, rowBytes, imageBytes, list, listBytes, counts, countBytes, images);
      continue;
    }
    if (side == 3 && vectors == 1) {
      gradientOfAll(3, 1, gradient, source, rowBytes, imageBytes, list, listBytes, counts, countBytes, images);
      continue;
    }
    if (side == 3 && vectors == 3) {
      gradientOfAll(3, 3, gradient, source, rowBytes, imageBytes, list, listBytes, counts, countBytes, images);
      continue;
    }
    for (let row = 0; row < side; row++) {
      let from = source + <usize>row * rowBytes;
      let to = gradient + <usize>row * rowOut;
      let left = vectors;
      while (left != 0) {
        let block = 7;
        if (left >= 7) gradientVectors(7, to, from, imageBytes, list, listBytes, counts, countBytes, images);
        else if (left == 6) { block = 6; gradientVectors(6, to, from, imageBytes, list, listBytes, counts, countBytes, images); }
        else if (left >= 4) { block = 4; gradientVectors(4, to, from, imageBytes, list, listBytes, counts, countBytes, images); }
        else if (left >= 2) { block = 2; gradientVectors(2, to, from, imageBytes, list, listBytes, counts, countBytes, images); }
        else { block = 1; gradientVectors(1, to, from, imageBytes, list, listBytes, counts, countBytes, images); }
        left -= block;
        from += <usize>block << 4;
        to += <usize>block << 4;
      }
    }
  }
  store<f32>(address(d, f.BIAS_GRADIENT) + (<usize>o << 2), <f32>biasSum);
  unpackGradient(d, o);
}

/** (kernel row, kernel column, channel) -> PyTorch's (channel, row, column) */
export function unpackGradient(d: usize, o: i32): void {
  const channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const filledPlaces = filledUp(side * channels);
  const from = address(d, f.GRADIENT_ROWS) + (<usize>(o * side * filledPlaces) << 2);
  let to = address(d, f.WEIGHT_GRADIENT) + (<usize>(o * channels * side * side) << 2);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        store<f32>(to, load<f32>(from + (<usize>(y * filledPlaces + x * channels + c) << 2)));
        to += 4;
      }
    }
  }
}

/** Errors, spread out by the stride with zeros around, through the turned filter. Finite weights only: 0 * infinity is NaN. */
export function denseInputError(d: usize, image: i32, scratch: usize): void {
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const stride = word(d, f.STRIDE), padding = word(d, f.PADDING);
  const outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const height = word(d, f.HEIGHT), width = word(d, f.WIDTH);
  const spreadHeight = word(d, f.SOURCE_HEIGHT) + side - 1, spreadWidth = word(d, f.SOURCE_WIDTH) + side - 1;
  const spreadRow = <usize>(spreadWidth * filters) << 2;
  clear(scratch, <usize>spreadHeight * spreadRow);
  const pixelBytes = <usize>filters << 2;
  let from = address(d, f.OUTPUT_ERROR) + <usize>(image * outHeight * outWidth) * pixelBytes;
  for (let y = 0; y < outHeight; y++) {
    let to = scratch + <usize>(y * stride + side - 1) * spreadRow + <usize>(side - 1) * pixelBytes;
    if (stride == 1) {
      memory.copy(to, from, <usize>outWidth * pixelBytes);
      from += <usize>outWidth * pixelBytes;
    } else {
      for (let x = 0; x < outWidth; x++) {
        memory.copy(to, from, pixelBytes);
        from += pixelBytes;
        to += <usize>stride * pixelBytes;
      }
    }
  }
  const inputRow = <usize>(width * channels) << 2;
  convolveImage(
    scratch + <usize>padding * spreadRow + <usize>padding * pixelBytes, spreadRow, pixelBytes, spreadRow, side, side * filters,
    address(d, f.TURNED_FILTER), address(d, f.NO_BIAS), channels,
    address(d, f.INPUT_ERROR) + <usize>(image * height) * inputRow, height, width, inputRow,
  );
}

/** Gradient of four filters: every error times its patch, in tiles of four filters x twelve places of a kernel row. */
export function denseGradient(d: usize, item: i32): void {
  const first = item << 2;
  const filters = word(d, f.OUT_CHANNELS), channels = word(d, f.CHANNELS), side = word(d, f.SIDE);
  const stride = word(d, f.STRIDE), outHeight = word(d, f.OUT_HEIGHT), outWidth = word(d, f.OUT_WIDTH);
  const rowBytes = <usize>(word(d, f.SOURCE_WIDTH) * channels) << 2;
  const stepX = <usize>(stride * channels) << 2;
  const pixelBytes = <usize>filters << 2;
  const imageErrors = <usize>(outHeight * outWidth) * pixelBytes;
  const errors = address(d, f.OUTPUT_ERROR) + (<usize>first << 2);
  const vectors = (side * channels + 3) >> 2;
  const rowOut = <usize>vectors << 4;
  const filterOut = <usize>side * rowOut;
  const gradient = address(d, f.GRADIENT_ROWS) + <usize>first * filterOut;
  clear(gradient, filterOut << 2);
  const images = word(d, f.EXAMPLES);
  let low = f64x2.splat(0), high = low;
  for (let image = 0; image < images; image++) {
    const source = sourceOf(d, image);
    const own = errors + <usize>image * imageErrors;
    for (let at = own, end = own + imageErrors; at < end; at += pixelBytes) {
      low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load_zero<f64>(at)));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load_zero<f64>(at, 8)));
    }
    for (let row = 0; row < side; row++) {
      const to = gradient + <usize>row * rowOut;
      let done = 0;
      for (; done + 3 <= vectors; done += 3)
        gradientTile(3, to + (<usize>done << 4), filterOut, source + <usize>row * rowBytes + (<usize>done << 4), <usize>stride * rowBytes, stepX, own, pixelBytes, outHeight, outWidth);
      for (; done < vectors; done++)
        gradientTile(1, to + (<usize>done << 4), filterOut, source + <usize>row * rowBytes + (<usize>done << 4), <usize>stride * rowBytes, stepX, own, pixelBytes, outHeight, outWidth);
    }
  }
  storeLanes(address(d, f.BIAS_GRADIENT) + (<usize>first << 2), roundedSums(low, high), filters - first);
  for (let o = first; o < min(first + 4, filters); o++) unpackGradient(d, o);
}

// @ts-ignore: decorator
@inline
function gradientTile(
  count: i32, to: usize, filterOut: usize, source: usize, stepY: usize, stepX: usize,
  errors: usize, pixelBytes: usize, height: i32, width: i32,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, b0 = zero, c0 = zero;
  let a1 = zero, b1 = zero, c1 = zero;
  let a2 = zero, b2 = zero, c2 = zero;
  let a3 = zero, b3 = zero, c3 = zero;
  for (let y = 0; y < height; y++) {
    let from = source;
    for (let x = width; x != 0; x--) {
      const u = v128.load(from);
      const v = count > 1 ? v128.load(from, 16) : zero;
      const w = count > 1 ? v128.load(from, 32) : zero;
      let e = splatOf(errors);
      a0 = multiplyAdd(e, u, a0);
      if (count > 1) { b0 = multiplyAdd(e, v, b0); c0 = multiplyAdd(e, w, c0); }
      e = v128.load_splat<f32>(errors, 4);
      a1 = multiplyAdd(e, u, a1);
      if (count > 1) { b1 = multiplyAdd(e, v, b1); c1 = multiplyAdd(e, w, c1); }
      e = v128.load_splat<f32>(errors, 8);
      a2 = multiplyAdd(e, u, a2);
      if (count > 1) { b2 = multiplyAdd(e, v, b2); c2 = multiplyAdd(e, w, c2); }
      e = v128.load_splat<f32>(errors, 12);
      a3 = multiplyAdd(e, u, a3);
      if (count > 1) { b3 = multiplyAdd(e, v, b3); c3 = multiplyAdd(e, w, c3); }
      from += stepX;
      errors += pixelBytes;
    }
    source += stepY;
  }
  addLanes(to, a0);
  addLanes(to + filterOut, a1);
  addLanes(to + 2 * filterOut, a2);
  addLanes(to + 3 * filterOut, a3);
  if (count > 1) {
    addLanes(to + 16, b0); addLanes(to + 32, c0);
    addLanes(to + filterOut + 16, b1); addLanes(to + filterOut + 32, c1);
    addLanes(to + 2 * filterOut + 16, b2); addLanes(to + 2 * filterOut + 32, c2);
    addLanes(to + 3 * filterOut + 16, b3); addLanes(to + 3 * filterOut + 32, c3);
  }
}
