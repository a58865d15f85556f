/**
 * The kernels of the engine `simd`. They live on memory that is handed to them and own none: no static data, nothing
 * allocated, no garbage collector. Which kernel, which settings and which items are described in ../fields.ts.
 */
import * as f from '../fields';
import {
  convolution,
  convolutionPool,
  denseGradient,
  denseInputError,
  errorList,
  listedGradient,
  listedInputError,
  packConvolution,
  packRows,
  packTurned,
} from './convolution';
import { sigmoid, sigmoidError, tanh, tanhError } from './curves';
import {
  channelsFirst,
  channelsFirstError,
  leakyRectify,
  leakyRectifyError,
  multiplyError,
  multiplyForward,
  rectify,
  rectifyError,
} from './elementwise';
import { exactConvolution, exactGradient, exactInputError } from './exact';
import { address, clear, word } from './memory';
import { pixels } from './pixels';
import { averagePool, averagePoolError, maxPool, maxPoolError } from './pooling';
import { rowsForward, rowsGradient, rowsInputError, sparseRowsGradient, sparseRowsInputError } from './rows';
import { largestMagnitude, sumOfSquares, updateAdam, updateSgd } from './update';

export { clear, largestMagnitude, packConvolution, packRows, packTurned, sumOfSquares, updateAdam, updateSgd };

/** Items from..to-1 of a kernel's work, in the working memory of `thread`. */
export function run(kernel: i32, d: usize, from: i32, to: i32, thread: i32): void {
  const scratch = address(d, f.SCRATCH) + <usize>thread * address(d, f.SCRATCH_STRIDE);
  for (let item = from; item < to; item++) {
    switch (kernel) {
      case f.CONVOLUTION: convolution(d, item); break;
      case f.CONVOLUTION_POOL: convolutionPool(d, item, scratch); break;
      case f.ERROR_LIST: errorList(d, item); break;
      case f.LISTED_INPUT_ERROR: listedInputError(d, item, scratch); break;
      case f.LISTED_GRADIENT: listedGradient(d, item); break;
      case f.LISTED_BACK: {
        const filters = word(d, f.OUT_CHANNELS);
        if (item < filters) listedGradient(d, item);
        else listedInputError(d, item - filters, scratch);
        break;
      }
      case f.DENSE_INPUT_ERROR: denseInputError(d, item, scratch); break;
      case f.EXACT_INPUT_ERROR: exactInputError(d, item, scratch); break;
      case f.DENSE_GRADIENT: denseGradient(d, item); break;
      case f.EXACT_CONVOLUTION: exactConvolution(d, item); break;
      case f.EXACT_GRADIENT: exactGradient(d, item); break;
      case f.ROWS: rowsForward(d, item); break;
      case f.ROWS_INPUT_ERROR: rowsInputError(d, item); break;
      case f.ROWS_GRADIENT: rowsGradient(d, item); break;
      case f.SPARSE_ROWS_INPUT_ERROR: sparseRowsInputError(d, item, scratch); break;
      case f.SPARSE_ROWS_GRADIENT: sparseRowsGradient(d, item, scratch); break;
      case f.SPARSE_ROWS_BACK: {
        const units = word(d, f.OUTPUT_SIZE);
        if (item < units) sparseRowsGradient(d, item, scratch);
        else sparseRowsInputError(d, item - units, scratch);
        break;
      }
      case f.MAX_POOL: maxPool(d, item); break;
      case f.MAX_POOL_ERROR: maxPoolError(d, item); break;
      case f.AVERAGE_POOL: averagePool(d, item); break;
      case f.AVERAGE_POOL_ERROR: averagePoolError(d, item); break;
      case f.RELU: rectify(d, item); break;
      case f.RELU_ERROR: rectifyError(d, item); break;
      case f.MULTIPLY: multiplyForward(d, item, scratch); break;
      case f.MULTIPLY_ERROR: multiplyError(d, item); break;
      case f.CHANNELS_FIRST: channelsFirst(d, item); break;
      case f.CHANNELS_FIRST_ERROR: channelsFirstError(d, item); break;
      case f.LEAKY_RELU: leakyRectify(d, item); break;
      case f.LEAKY_RELU_ERROR: leakyRectifyError(d, item); break;
      case f.SIGMOID: sigmoid(d, item); break;
      case f.SIGMOID_ERROR: sigmoidError(d, item); break;
      case f.TANH: tanh(d, item); break;
      case f.TANH_ERROR: tanhError(d, item); break;
      case f.PIXELS: pixels(d, item); break;
      default: unreachable();
    }
  }
}

/** How often a thread looks again before it sleeps: some 200 microseconds, more than the time between two calls of a step. */
const LOOKS: i32 = 130_000;

/**
 * Shares a call out and takes part in it; returns when all of it is done. What an item computes depends on the item alone,
 * so who computes it changes no bit.
 */
export function share(control: usize, kernel: i32, d: usize, items: i32, chunk: i32): void {
  const call = atomic.load<i64>(control) >> 32;
  const chunks = (items + chunk - 1) / chunk;
  // Closed: a helper that still looks at the call before finds nothing to take while the settings change.
  atomic.store<i64>(control, ((call + 1) << 32) | 0x7fffffff);
  store<i32>(control, kernel, f.CONTROL_KERNEL << 2);
  store<i32>(control, <i32>d, f.CONTROL_DESCRIPTOR << 2);
  store<i32>(control, items, f.CONTROL_ITEMS << 2);
  store<i32>(control, chunk, f.CONTROL_CHUNK << 2);
  store<i32>(control, chunks, f.CONTROL_CHUNKS << 2);
  atomic.store<i32>(control, 0, f.CONTROL_DONE << 2);
  // From here on helpers take chunks.
  atomic.store<i64>(control, (call + 2) << 32);
  atomic.add<i32>(control, 1, f.CONTROL_CALL << 2);
  if (atomic.load<i32>(control, f.CONTROL_SLEEPING << 2) > 0) atomic.notify(control + (f.CONTROL_CALL << 2), -1);
  takeChunks(control, 0);
  let looks = LOOKS;
  for (;;) {
    const done = atomic.load<i32>(control, f.CONTROL_DONE << 2);
    if (done == chunks) return;
    // A helper that lost its core in the middle of a chunk: leave it ours.
    if (--looks < 0) atomic.wait<i32>(control + (f.CONTROL_DONE << 2), done, 100_000);
  }
}

function takeChunks(control: usize, thread: i32): void {
  for (;;) {
    const ticket = atomic.load<i64>(control);
    const next = <i32>ticket;
    if (next >= atomic.load<i32>(control, f.CONTROL_CHUNKS << 2)) return;
    const kernel = load<i32>(control, f.CONTROL_KERNEL << 2);
    const d = load<usize>(control, f.CONTROL_DESCRIPTOR << 2);
    const items = load<i32>(control, f.CONTROL_ITEMS << 2);
    const chunk = load<i32>(control, f.CONTROL_CHUNK << 2);
    // What was read above is of this very call if the ticket is still the same: a call stays until all its chunks are done.
    if (atomic.cmpxchg<i64>(control, ticket, ticket + 1) != ticket) continue;
    run(kernel, d, next * chunk, min(items, (next + 1) * chunk), thread);
    atomic.add<i32>(control, 1, f.CONTROL_DONE << 2);
    if (thread != 0) atomic.notify(control + (f.CONTROL_DONE << 2), 1);
  }
}

/** What a helper thread does all its life. Returns when it is told to quit. */
export function serve(control: usize, thread: i32): void {
  for (;;) {
    const call = atomic.load<i32>(control, f.CONTROL_CALL << 2);
    if (atomic.load<i32>(control, f.CONTROL_QUIT << 2) != 0) return;
    const threads = atomic.load<i32>(control, f.CONTROL_THREADS << 2);
    if (thread >= threads) {
      atomic.wait<i32>(control + (f.CONTROL_THREADS << 2), threads, -1);
      continue;
    }
    takeChunks(control, thread);
    let looks = LOOKS;
    while (atomic.load<i32>(control, f.CONTROL_CALL << 2) == call && looks > 0) looks--;
    if (looks > 0) continue;
    atomic.add<i32>(control, 1, f.CONTROL_SLEEPING << 2);
    atomic.wait<i32>(control + (f.CONTROL_CALL << 2), call, -1);
    atomic.sub<i32>(control, 1, f.CONTROL_SLEEPING << 2);
  }
}
