import { multiplyAdd, splatOf, storeLanes } from './memory';

/**
 * The heart of a convolution: four pixels x up to twelve filters in registers. Every output is one chain of multiply-adds,
 * bias first, then row by row of the kernel, so its bits do not depend on the tile it is computed in.
 *
 * `filter` is (row, place in the row, filter): from one place to the next `step` bytes, `perRow` places in a row.
 * p0..p3 are where the patches of the four pixels begin, `rowBytes` the way to the next row of the image.
 */

/** What happens to the four sums of each filter. */
// @ts-ignore: decorator
@inline
export const STORE: i32 = 0;
// @ts-ignore: decorator
@inline
export const POOL: i32 = 1;

/** Where results go; `o0`..`o3` for STORE; for POOL the output is o0, its argmax o1, the pixels of the window a0..a3. */

// @ts-ignore: decorator
@inline
function larger(largest: v128, value: v128): v128 {
  return v128.or(f32x4.gt(value, largest), f32x4.ne(value, value));
}

// @ts-ignore: decorator
@inline
function rectified(value: v128): v128 {
  return v128.andnot(value, f32x4.le(value, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function poolVector(
  s0: v128, s1: v128, s2: v128, s3: v128,
  output: usize, argmax: usize, lanes: i32,
  factors: usize, relu: i32, pixel: i32, width: i32,
): void {
  if (factors != 0) {
    const factor = v128.load(factors);
    s0 = f32x4.mul(s0, factor);
    s1 = f32x4.mul(s1, factor);
    s2 = f32x4.mul(s2, factor);
    s3 = f32x4.mul(s3, factor);
  }
  if (relu == 1) {
    s0 = rectified(s0);
    s1 = rectified(s1);
    s2 = rectified(s2);
    s3 = rectified(s3);
  }
  let largest = s0;
  let at = i32x4.splat(pixel);
  let is = larger(largest, s1);
  largest = v128.bitselect(s1, largest, is);
  at = v128.bitselect(i32x4.splat(pixel + 1), at, is);
  is = larger(largest, s2);
  largest = v128.bitselect(s2, largest, is);
  at = v128.bitselect(i32x4.splat(pixel + width), at, is);
  is = larger(largest, s3);
  largest = v128.bitselect(s3, largest, is);
  at = v128.bitselect(i32x4.splat(pixel + width + 1), at, is);
  if (relu == 2) largest = rectified(largest);
  storeLanes(output, largest, lanes);
  storeLanes(argmax, at, lanes);
}

// @ts-ignore: decorator
@inline
function tile3(
  what: i32, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize, rows: i32, perRow: i32,
  filter: usize, step: usize, bias: usize, lanes: i32,
  o0: usize, o1: usize, o2: usize, o3: usize, factors: usize, relu: i32, pixel: i32, width: i32,
): void {
  let a0 = v128.load(bias), b0 = v128.load(bias, 16), c0 = v128.load(bias, 32);
  let a1 = a0, b1 = b0, c1 = c0;
  let a2 = a0, b2 = b0, c2 = c0;
  let a3 = a0, b3 = b0, c3 = c0;
  const back = rowBytes - ((<usize>perRow) << 2);
  for (let row = 0; row < rows; row++) {
    let place = perRow;
    for (; place >= 2; place -= 2) {
      let u = v128.load(filter), v = v128.load(filter, 16), w = v128.load(filter, 32);
      let x = splatOf(p0);
      a0 = multiplyAdd(x, u, a0); b0 = multiplyAdd(x, v, b0); c0 = multiplyAdd(x, w, c0);
      x = splatOf(p1);
      a1 = multiplyAdd(x, u, a1); b1 = multiplyAdd(x, v, b1); c1 = multiplyAdd(x, w, c1);
      x = splatOf(p2);
      a2 = multiplyAdd(x, u, a2); b2 = multiplyAdd(x, v, b2); c2 = multiplyAdd(x, w, c2);
      x = splatOf(p3);
      a3 = multiplyAdd(x, u, a3); b3 = multiplyAdd(x, v, b3); c3 = multiplyAdd(x, w, c3);
      filter += step;
      u = v128.load(filter); v = v128.load(filter, 16); w = v128.load(filter, 32);
      x = v128.load_splat<f32>(p0, 4);
      a0 = multiplyAdd(x, u, a0); b0 = multiplyAdd(x, v, b0); c0 = multiplyAdd(x, w, c0);
      x = v128.load_splat<f32>(p1, 4);
      a1 = multiplyAdd(x, u, a1); b1 = multiplyAdd(x, v, b1); c1 = multiplyAdd(x, w, c1);
      x = v128.load_splat<f32>(p2, 4);
      a2 = multiplyAdd(x, u, a2); b2 = multiplyAdd(x, v, b2); c2 = multiplyAdd(x, w, c2);
      x = v128.load_splat<f32>(p3, 4);
      a3 = multiplyAdd(x, u, a3); b3 = multiplyAdd(x, v, b3); c3 = multiplyAdd(x, w, c3);
      filter += step;
      p0 += 8; p1 += 8; p2 += 8; p3 += 8;
    }
    if (place != 0) {
      const u = v128.load(filter), v = v128.load(filter, 16), w = v128.load(filter, 32);
      let x = splatOf(p0);
      a0 = multiplyAdd(x, u, a0); b0 = multiplyAdd(x, v, b0); c0 = multiplyAdd(x, w, c0);
      x = splatOf(p1);
      a1 = multiplyAdd(x, u, a1); b1 = multiplyAdd(x, v, b1); c1 = multiplyAdd(x, w, c1);
      x = splatOf(p2);
      a2 = multiplyAdd(x, u, a2); b2 = multiplyAdd(x, v, b2); c2 = multiplyAdd(x, w, c2);
      x = splatOf(p3);
      a3 = multiplyAdd(x, u, a3); b3 = multiplyAdd(x, v, b3); c3 = multiplyAdd(x, w, c3);
      filter += step;
      p0 += 4; p1 += 4; p2 += 4; p3 += 4;
    }
    p0 += back; p1 += back; p2 += back; p3 += back;
  }
  const rest = lanes - 8;
  if (what == STORE) {
    v128.store(o0, a0); v128.store(o0, b0, 16); storeLanes(o0 + 32, c0, rest);
    v128.store(o1, a1); v128.store(o1, b1, 16); storeLanes(o1 + 32, c1, rest);
    v128.store(o2, a2); v128.store(o2, b2, 16); storeLanes(o2 + 32, c2, rest);
    v128.store(o3, a3); v128.store(o3, b3, 16); storeLanes(o3 + 32, c3, rest);
  } else {
    const f1 = factors == 0 ? <usize>0 : factors + 16, f2 = factors == 0 ? <usize>0 : factors + 32;
    poolVector(a0, a1, a2, a3, o0, o1, 4, factors, relu, pixel, width);
    poolVector(b0, b1, b2, b3, o0 + 16, o1 + 16, 4, f1, relu, pixel, width);
    poolVector(c0, c1, c2, c3, o0 + 32, o1 + 32, rest, f2, relu, pixel, width);
  }
}

// @ts-ignore: decorator
@inline
function tile2(
  what: i32, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize, rows: i32, perRow: i32,
  filter: usize, step: usize, bias: usize, lanes: i32,
  o0: usize, o1: usize, o2: usize, o3: usize, factors: usize, relu: i32, pixel: i32, width: i32,
): void {
  let a0 = v128.load(bias), b0 = v128.load(bias, 16);
  let a1 = a0, b1 = b0;
  let a2 = a0, b2 = b0;
  let a3 = a0, b3 = b0;
  const back = rowBytes - ((<usize>perRow) << 2);
  for (let row = 0; row < rows; row++) {
    for (let place = perRow; place != 0; place--) {
      const u = v128.load(filter), v = v128.load(filter, 16);
      let x = splatOf(p0);
      a0 = multiplyAdd(x, u, a0); b0 = multiplyAdd(x, v, b0);
      x = splatOf(p1);
      a1 = multiplyAdd(x, u, a1); b1 = multiplyAdd(x, v, b1);
      x = splatOf(p2);
      a2 = multiplyAdd(x, u, a2); b2 = multiplyAdd(x, v, b2);
      x = splatOf(p3);
      a3 = multiplyAdd(x, u, a3); b3 = multiplyAdd(x, v, b3);
      filter += step;
      p0 += 4; p1 += 4; p2 += 4; p3 += 4;
    }
    p0 += back; p1 += back; p2 += back; p3 += back;
  }
  const rest = lanes - 4;
  if (what == STORE) {
    v128.store(o0, a0); storeLanes(o0 + 16, b0, rest);
    v128.store(o1, a1); storeLanes(o1 + 16, b1, rest);
    v128.store(o2, a2); storeLanes(o2 + 16, b2, rest);
    v128.store(o3, a3); storeLanes(o3 + 16, b3, rest);
  } else {
    const f1 = factors == 0 ? <usize>0 : factors + 16;
    poolVector(a0, a1, a2, a3, o0, o1, 4, factors, relu, pixel, width);
    poolVector(b0, b1, b2, b3, o0 + 16, o1 + 16, rest, f1, relu, pixel, width);
  }
}

// @ts-ignore: decorator
@inline
function tile1(
  what: i32, p0: usize, p1: usize, p2: usize, p3: usize, rowBytes: usize, rows: i32, perRow: i32,
  filter: usize, step: usize, bias: usize, lanes: i32,
  o0: usize, o1: usize, o2: usize, o3: usize, factors: usize, relu: i32, pixel: i32, width: i32,
): void {
  let a0 = v128.load(bias);
  let a1 = a0, a2 = a0, a3 = a0;
  const back = rowBytes - ((<usize>perRow) << 2);
  for (let row = 0; row < rows; row++) {
    for (let place = perRow; place != 0; place--) {
      const u = v128.load(filter);
      a0 = multiplyAdd(splatOf(p0), u, a0);
      a1 = multiplyAdd(splatOf(p1), u, a1);
      a2 = multiplyAdd(splatOf(p2), u, a2);
      a3 = multiplyAdd(splatOf(p3), u, a3);
      filter += step;
      p0 += 4; p1 += 4; p2 += 4; p3 += 4;
    }
    p0 += back; p1 += back; p2 += back; p3 += back;
  }
  if (what == STORE) {
    storeLanes(o0, a0, lanes);
    storeLanes(o1, a1, lanes);
    storeLanes(o2, a2, lanes);
    storeLanes(o3, a3, lanes);
  } else {
    poolVector(a0, a1, a2, a3, o0, o1, lanes, factors, relu, pixel, width);
  }
}

/** Vectors of the next block: three, or two and two where four are left. */
// @ts-ignore: decorator
@inline
function blockOf(left: i32): i32 {
  return left == 4 ? 2 : min(left, 3);
}

/**
 * One image through a filter: out[y,x,f], `filters` values a pixel, one pixel after the other. The filter's innermost extent
 * and the bias are filled up to a multiple of four. stepX, stepY: bytes from the patch of a pixel to those beside and below it.
 */
export function convolveImage(
  source: usize, rowBytes: usize, stepX: usize, stepY: usize, rows: i32, perRow: i32,
  filter: usize, bias: usize, filters: i32,
  output: usize, height: i32, width: i32, outputRowBytes: usize,
): void {
  const vectors = (filters + 3) >> 2;
  const step = (<usize>vectors) << 4;
  const pixelBytes = (<usize>filters) << 2;
  let done = 0;
  while (done < vectors) {
    const block = blockOf(vectors - done);
    const at = (<usize>done) << 4;
    const lanes = min(filters - (done << 2), block << 2);
    for (let y = 0; y < height; y++) {
      const patches = source + <usize>y * stepY;
      const outRow = output + <usize>y * outputRowBytes + at;
      for (let x = 0; x < width; x += 4) {
        // Beyond the edge the last pixel is computed once more: the same value into the same place.
        const x1 = min(x + 1, width - 1), x2 = min(x + 2, width - 1), x3 = min(x + 3, width - 1);
        const p0 = patches + <usize>x * stepX, p1 = patches + <usize>x1 * stepX;
        const p2 = patches + <usize>x2 * stepX, p3 = patches + <usize>x3 * stepX;
        const o0 = outRow + <usize>x * pixelBytes, o1 = outRow + <usize>x1 * pixelBytes;
        const o2 = outRow + <usize>x2 * pixelBytes, o3 = outRow + <usize>x3 * pixelBytes;
        if (block == 3) {
          tile3(STORE, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, o0, o1, o2, o3, 0, 0, 0, 0);
        } else if (block == 2) {
          tile2(STORE, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, o0, o1, o2, o3, 0, 0, 0, 0);
        } else {
          tile1(STORE, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, o0, o1, o2, o3, 0, 0, 0, 0);
        }
      }
    }
    done += block;
  }
}

/**
 * The same with factors of the channels (0: none), ReLU (`relu`: 0 none, 1 before, 2 after the pool) and max-pool 2 x 2 on
 * the sums while they are in registers. Of the convolution nothing is stored. `width` is that of the convolution's output,
 * whose pixels argmax counts. As in PyTorch the first of equal values is taken, and the last NaN.
 */
export function convolvePoolImage(
  source: usize, rowBytes: usize, stepX: usize, stepY: usize, rows: i32, perRow: i32,
  filter: usize, bias: usize, filters: i32,
  output: usize, argmax: usize, poolHeight: i32, poolWidth: i32, width: i32, factors: usize, relu: i32,
): void {
  const vectors = (filters + 3) >> 2;
  const step = (<usize>vectors) << 4;
  const pixelBytes = (<usize>filters) << 2;
  let done = 0;
  while (done < vectors) {
    const block = blockOf(vectors - done);
    const at = (<usize>done) << 4;
    const lanes = min(filters - (done << 2), block << 2);
    const blockFactors = factors == 0 ? <usize>0 : factors + at;
    let out = output + at, arg = argmax + at;
    for (let y = 0; y < poolHeight; y++) {
      let p0 = source + <usize>(y << 1) * stepY;
      let pixel = (y << 1) * width;
      for (let x = 0; x < poolWidth; x++) {
        const p1 = p0 + stepX, p2 = p0 + stepY, p3 = p2 + stepX;
        if (block == 3) {
          tile3(POOL, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, out, arg, 0, 0, blockFactors, relu, pixel, width);
        } else if (block == 2) {
          tile2(POOL, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, out, arg, 0, 0, blockFactors, relu, pixel, width);
        } else {
          tile1(POOL, p0, p1, p2, p3, rowBytes, rows, perRow, filter + at, step, bias + at, lanes, out, arg, 0, 0, blockFactors, relu, pixel, width);
        }
        p0 += stepX << 1;
        pixel += 2;
        out += pixelBytes;
        arg += pixelBytes;
      }
    }
    done += block;
  }
}
