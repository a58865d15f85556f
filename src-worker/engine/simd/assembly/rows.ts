import * as f from '../fields';
import { address, multiplyAdd, roundedSums, splatOf, storeLanes, sumOfLanes, word } from './memory';

/**
 * Dense layers. Weights stay in PyTorch's layout, (units, inputs): a row of weights and an example lie side by side in
 * memory, and every one of the three products reads rows. Tiles of four by three; beyond an edge the last is done again.
 */

/** output[n,o] = sum over i of input[n,i] weight[o,i] + bias[o], of four examples. */
export function rowsForward(d: usize, item: i32): void {
  const inputs = word(d, f.INPUT_SIZE), units = word(d, f.OUTPUT_SIZE), last = word(d, f.EXAMPLES) - 1;
  const inputBytes = <usize>inputs << 2, unitBytes = <usize>units << 2;
  const n0 = <usize>(item << 2), n1 = <usize>min(item * 4 + 1, last), n2 = <usize>min(item * 4 + 2, last), n3 = <usize>min(item * 4 + 3, last);
  const input = address(d, f.INPUT), output = address(d, f.OUTPUT), weight = address(d, f.WEIGHT), bias = address(d, f.BIAS);
  const whole = inputs & ~3;
  for (let o = 0; o < units; o += 3) {
    const o1 = min(o + 1, units - 1), o2 = min(o + 2, units - 1);
    let x0 = input + n0 * inputBytes, x1 = input + n1 * inputBytes, x2 = input + n2 * inputBytes, x3 = input + n3 * inputBytes;
    let w0 = weight + <usize>o * inputBytes, w1 = weight + <usize>o1 * inputBytes, w2 = weight + <usize>o2 * inputBytes;
    const zero = f32x4.splat(0);
    let a0 = zero, b0 = zero, c0 = zero;
    let a1 = zero, b1 = zero, c1 = zero;
    let a2 = zero, b2 = zero, c2 = zero;
    let a3 = zero, b3 = zero, c3 = zero;
    for (let i = whole; i != 0; i -= 4) {
      const u = v128.load(w0), v = v128.load(w1), w = v128.load(w2);
      let x = v128.load(x0);
      a0 = multiplyAdd(x, u, a0); b0 = multiplyAdd(x, v, b0); c0 = multiplyAdd(x, w, c0);
      x = v128.load(x1);
      a1 = multiplyAdd(x, u, a1); b1 = multiplyAdd(x, v, b1); c1 = multiplyAdd(x, w, c1);
      x = v128.load(x2);
      a2 = multiplyAdd(x, u, a2); b2 = multiplyAdd(x, v, b2); c2 = multiplyAdd(x, w, c2);
      x = v128.load(x3);
      a3 = multiplyAdd(x, u, a3); b3 = multiplyAdd(x, v, b3); c3 = multiplyAdd(x, w, c3);
      x0 += 16; x1 += 16; x2 += 16; x3 += 16;
      w0 += 16; w1 += 16; w2 += 16;
    }
    const rest = inputs - whole;
    const p = load<f32>(bias + (<usize>o << 2)), q = load<f32>(bias + (<usize>o1 << 2)), r = load<f32>(bias + (<usize>o2 << 2));
    let to = output + n0 * unitBytes;
    store<f32>(to + (<usize>o << 2), sumOfLanes(a0) + restOf(x0, w0, rest) + p);
    store<f32>(to + (<usize>o1 << 2), sumOfLanes(b0) + restOf(x0, w1, rest) + q);
    store<f32>(to + (<usize>o2 << 2), sumOfLanes(c0) + restOf(x0, w2, rest) + r);
    to = output + n1 * unitBytes;
    store<f32>(to + (<usize>o << 2), sumOfLanes(a1) + restOf(x1, w0, rest) + p);
    store<f32>(to + (<usize>o1 << 2), sumOfLanes(b1) + restOf(x1, w1, rest) + q);
    store<f32>(to + (<usize>o2 << 2), sumOfLanes(c1) + restOf(x1, w2, rest) + r);
    to = output + n2 * unitBytes;
    store<f32>(to + (<usize>o << 2), sumOfLanes(a2) + restOf(x2, w0, rest) + p);
    store<f32>(to + (<usize>o1 << 2), sumOfLanes(b2) + restOf(x2, w1, rest) + q);
    store<f32>(to + (<usize>o2 << 2), sumOfLanes(c2) + restOf(x2, w2, rest) + r);
    to = output + n3 * unitBytes;
    store<f32>(to + (<usize>o << 2), sumOfLanes(a3) + restOf(x3, w0, rest) + p);
    store<f32>(to + (<usize>o1 << 2), sumOfLanes(b3) + restOf(x3, w1, rest) + q);
    store<f32>(to + (<usize>o2 << 2), sumOfLanes(c3) + restOf(x3, w2, rest) + r);
  }
}

// @ts-ignore: decorator
@inline
function restOf(x: usize, w: usize, count: i32): f32 {
  let sum: f32 = 0;
  if (count > 0) sum = load<f32>(x) * load<f32>(w);
  if (count > 1) sum += load<f32>(x, 4) * load<f32>(w, 4);
  if (count > 2) sum += load<f32>(x, 8) * load<f32>(w, 8);
  return sum;
}

/**
 * Four rows of C = A B: C[m,j] = sum over k of A[m,k] B[k,j], k one after the other. a0..a3: where the four rows of A begin,
 * `aStep` bytes from one k to the next; rows of B are `bStep` bytes apart.
 */
// @ts-ignore: decorator
@inline
function product(
  a0: usize, a1: usize, a2: usize, a3: usize, aStep: usize, b: usize, bStep: usize, terms: i32,
  c0: usize, c1: usize, c2: usize, c3: usize, columns: i32,
): void {
  for (let j = 0; j < columns; j += 12) {
    const zero = f32x4.splat(0);
    let p0 = zero, q0 = zero, r0 = zero;
    let p1 = zero, q1 = zero, r1 = zero;
    let p2 = zero, q2 = zero, r2 = zero;
    let p3 = zero, q3 = zero, r3 = zero;
    let x0 = a0, x1 = a1, x2 = a2, x3 = a3;
    let from = b + (<usize>j << 2);
    const left = columns - j;
    if (left > 4) {
      for (let k = terms; k != 0; k--) {
        const u = v128.load(from), v = v128.load(from, 16), w = v128.load(from, 32);
        let x = splatOf(x0);
        p0 = multiplyAdd(x, u, p0); q0 = multiplyAdd(x, v, q0); r0 = multiplyAdd(x, w, r0);
        x = splatOf(x1);
        p1 = multiplyAdd(x, u, p1); q1 = multiplyAdd(x, v, q1); r1 = multiplyAdd(x, w, r1);
        x = splatOf(x2);
        p2 = multiplyAdd(x, u, p2); q2 = multiplyAdd(x, v, q2); r2 = multiplyAdd(x, w, r2);
        x = splatOf(x3);
        p3 = multiplyAdd(x, u, p3); q3 = multiplyAdd(x, v, q3); r3 = multiplyAdd(x, w, r3);
        x0 += aStep; x1 += aStep; x2 += aStep; x3 += aStep;
        from += bStep;
      }
    } else {
      for (let k = terms; k != 0; k--) {
        const u = v128.load(from);
        p0 = multiplyAdd(splatOf(x0), u, p0);
        p1 = multiplyAdd(splatOf(x1), u, p1);
        p2 = multiplyAdd(splatOf(x2), u, p2);
        p3 = multiplyAdd(splatOf(x3), u, p3);
        x0 += aStep; x1 += aStep; x2 += aStep; x3 += aStep;
        from += bStep;
      }
    }
    const at = <usize>j << 2;
    storeThree(c0 + at, p0, q0, r0, left);
    storeThree(c1 + at, p1, q1, r1, left);
    storeThree(c2 + at, p2, q2, r2, left);
    storeThree(c3 + at, p3, q3, r3, left);
  }
}

// @ts-ignore: decorator
@inline
function storeThree(to: usize, p: v128, q: v128, r: v128, lanes: i32): void {
  storeLanes(to, p, lanes);
  if (lanes > 4) storeLanes(to + 16, q, lanes - 4);
  if (lanes > 8) storeLanes(to + 32, r, lanes - 8);
}

/** inputError[n,i] = sum over o of outputError[n,o] weight[o,i], of four examples. */
export function rowsInputError(d: usize, item: i32): void {
  const inputs = word(d, f.INPUT_SIZE), units = word(d, f.OUTPUT_SIZE), last = word(d, f.EXAMPLES) - 1;
  const n0 = item << 2, n1 = min(n0 + 1, last), n2 = min(n0 + 2, last), n3 = min(n0 + 3, last);
  const error = address(d, f.OUTPUT_ERROR), to = address(d, f.INPUT_ERROR);
  const inputBytes = <usize>inputs << 2, unitBytes = <usize>units << 2;
  product(
    error + <usize>n0 * unitBytes, error + <usize>n1 * unitBytes, error + <usize>n2 * unitBytes, error + <usize>n3 * unitBytes, 4,
    address(d, f.WEIGHT), inputBytes, units,
    to + <usize>n0 * inputBytes, to + <usize>n1 * inputBytes, to + <usize>n2 * inputBytes, to + <usize>n3 * inputBytes, inputs,
  );
}

/** weightGradient[o,i] = sum over n of outputError[n,o] input[n,i], of four units; biasGradient[o] = sum of outputError[n,o]. */
export function rowsGradient(d: usize, item: i32): void {
  const inputs = word(d, f.INPUT_SIZE), units = word(d, f.OUTPUT_SIZE), n = word(d, f.EXAMPLES);
  const o0 = item << 2, o1 = min(o0 + 1, units - 1), o2 = min(o0 + 2, units - 1), o3 = min(o0 + 3, units - 1);
  const error = address(d, f.OUTPUT_ERROR), to = address(d, f.WEIGHT_GRADIENT);
  const inputBytes = <usize>inputs << 2, unitBytes = <usize>units << 2;
  product(
    error + (<usize>o0 << 2), error + (<usize>o1 << 2), error + (<usize>o2 << 2), error + (<usize>o3 << 2), unitBytes,
    address(d, f.INPUT), inputBytes, n,
    to + <usize>o0 * inputBytes, to + <usize>o1 * inputBytes, to + <usize>o2 * inputBytes, to + <usize>o3 * inputBytes, inputs,
  );
  let low = f64x2.splat(0), high = low;
  let at = error + (<usize>o0 << 2);
  for (let example = 0; example < n; example++, at += unitBytes) {
    low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load_zero<f64>(at)));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load_zero<f64>(at, 8)));
  }
  storeLanes(address(d, f.BIAS_GRADIENT) + (<usize>o0 << 2), roundedSums(low, high), units - o0);
}

/** Of `count` errors, `step` bytes apart, those that are not 0: (error, address of the row that goes with it). */
// @ts-ignore: decorator
@inline
function listOf(list: usize, errors: usize, step: usize, rows: usize, rowBytes: usize, count: i32): i32 {
  let end = list;
  for (; count != 0; count--) {
    const error = load<f32>(errors);
    store<f32>(end, error);
    store<usize>(end, rows, 4);
    end += <usize>(error != 0) << 3;
    errors += step;
    rows += rowBytes;
  }
  return <i32>((end - list) >> 3);
}

/** to[j] = sum over the list of error row[j], in the order of the list: the bits of the sum over all errors. */
// @ts-ignore: decorator
@inline
function sumOfRows(to: usize, list: usize, entries: i32, columns: i32): void {
  const zero = f32x4.splat(0);
  let j = 0;
  for (; j + 32 <= columns; j += 32) {
    const at = <usize>j << 2;
    let a = zero, b = zero, c = zero, e = zero, g = zero, h = zero, k = zero, l = zero;
    let entry = list;
    for (let left = entries; left != 0; left--, entry += 8) {
      const error = splatOf(entry);
      const row = load<usize>(entry, 4) + at;
      a = multiplyAdd(error, v128.load(row), a);
      b = multiplyAdd(error, v128.load(row, 16), b);
      c = multiplyAdd(error, v128.load(row, 32), c);
      e = multiplyAdd(error, v128.load(row, 48), e);
      g = multiplyAdd(error, v128.load(row, 64), g);
      h = multiplyAdd(error, v128.load(row, 80), h);
      k = multiplyAdd(error, v128.load(row, 96), k);
      l = multiplyAdd(error, v128.load(row, 112), l);
    }
    const out = to + at;
    v128.store(out, a); v128.store(out, b, 16); v128.store(out, c, 32); v128.store(out, e, 48);
    v128.store(out, g, 64); v128.store(out, h, 80); v128.store(out, k, 96); v128.store(out, l, 112);
  }
  for (; j < columns; j += 8) {
    const at = <usize>j << 2;
    let a = zero, b = zero;
    let entry = list;
    for (let left = entries; left != 0; left--, entry += 8) {
      const error = splatOf(entry);
      const row = load<usize>(entry, 4) + at;
      a = multiplyAdd(error, v128.load(row), a);
      b = multiplyAdd(error, v128.load(row, 16), b);
    }
    storeLanes(to + at, a, columns - j);
    if (columns - j > 4) storeLanes(to + at + 16, b, columns - j - 4);
  }
}

/** rowsInputError of one example where all weights are finite: what an error of 0 would add is 0. */
export function sparseRowsInputError(d: usize, example: i32, scratch: usize): void {
  const inputs = word(d, f.INPUT_SIZE), units = word(d, f.OUTPUT_SIZE);
  const inputBytes = <usize>inputs << 2, unitBytes = <usize>units << 2;
  const errors = address(d, f.OUTPUT_ERROR) + <usize>example * unitBytes;
  const entries = listOf(scratch, errors, 4, address(d, f.WEIGHT), inputBytes, units);
  sumOfRows(address(d, f.INPUT_ERROR) + <usize>example * inputBytes, scratch, entries, inputs);
}

/** rowsGradient of one unit where all inputs are finite. */
export function sparseRowsGradient(d: usize, unit: i32, scratch: usize): void {
  const inputs = word(d, f.INPUT_SIZE), units = word(d, f.OUTPUT_SIZE), n = word(d, f.EXAMPLES);
  const inputBytes = <usize>inputs << 2, unitBytes = <usize>units << 2;
  const errors = address(d, f.OUTPUT_ERROR) + (<usize>unit << 2);
  const entries = listOf(scratch, errors, unitBytes, address(d, f.INPUT), inputBytes, n);
  sumOfRows(address(d, f.WEIGHT_GRADIENT) + <usize>unit * inputBytes, scratch, entries, inputs);
  let bias: f64 = 0;
  for (let i = 0; i < entries; i++) bias += <f64>load<f32>(scratch + (<usize>i << 3));
  store<f32>(address(d, f.BIAS_GRADIENT) + (<usize>unit << 2), <f32>bias);
}
