import type { LayerPlan } from '../../src-shared/model/network';

/** What became of a value on its way forward, and so of the error on its way back to it. */
export const FATE = {
  /** It reached the end of the path: its error comes back to it. */
  passed: 0,
  /** Another value of its pooling window was larger, or it lay outside all windows. */
  lost: 1,
  /** ReLU made it 0. */
  stopped: 2,
  dropped: 3,
} as const;

/** A layer without weights, with what is known of it for one example. */
export interface PathLayer {
  readonly layer: LayerPlan;
  /** Values that went in, and that came out. */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** Of a dropout layer: its factors, one a channel or value it decides on; null: it drops nothing. */
  readonly mask: Float32Array | null;
}

/**
 * Index in the input of the value that won each window of max-pooling, one entry an output value. As in PyTorch: the first
 * of equal values in row-major order; a NaN wins over every number, and the last NaN of a window over those before it.
 *
 * @param input (channels, height, width)
 */
export function poolWinners(
  input: Float32Array,
  [channels = 1, height = 1, width = 1]: readonly number[],
  size: number,
): Int32Array {
  const outHeight = Math.floor(height / size);
  const outWidth = Math.floor(width / size);
  const winners = new Int32Array(channels * outHeight * outWidth);
  let out = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = 0; y < outHeight; y += 1) {
      for (let x = 0; x < outWidth; x += 1) {
        const corner = (channel * height + y * size) * width + x * size;
        let best = Number.NEGATIVE_INFINITY;
        let winner = corner;
        for (let row = 0; row < size; row += 1) {
          for (let column = 0; column < size; column += 1) {
            const index = corner + row * width + column;
            const value = input[index] ?? 0;
            if (!(value > best || Number.isNaN(value))) continue;
            best = value;
            winner = index;
          }
        }
        winners[out] = winner;
        out += 1;
      }
    }
  }
  return winners;
}

/**
 * The fate of each value that goes into the first of these layers, on its way through all of them: one FATE a value.
 * Of several reasons for which an error does not come back the first that it met going forward is told, but one that
 * another value of its window beat is lost, whatever had been made of it.
 */
export function fatesAlong(path: readonly PathLayer[]): Uint8Array {
  const start = path[0]?.input.length ?? 0;
  const fates = new Uint8Array(start);
  /** Where each value is by now; -1 once it was lost. */
  let place = Int32Array.from({ length: start }, (_, index) => index);
  const stop = (index: number, fate: number): void => {
    if (fates[index] === FATE.passed) fates[index] = fate;
  };
  for (const { layer, input, output, mask } of path) {
    const { spec, inputShape } = layer;
    if (spec.kind === 'relu') {
      place.forEach((at, index) => {
        // NaN is not stopped.
        if (at >= 0 && (output[at] ?? 0) <= 0) stop(index, FATE.stopped);
      });
    } else if (spec.kind === 'dropout' && mask !== null) {
      const each = input.length / mask.length;
      place.forEach((at, index) => {
        if (at >= 0 && mask[Math.floor(at / each)] === 0) stop(index, FATE.dropped);
      });
    } else if (spec.kind === 'maxPool2d') {
      const after = new Int32Array(input.length).fill(-1);
      poolWinners(input, inputShape, spec.size).forEach((winner, out) => {
        after[winner] = out;
      });
      place = place.map((at, index) => {
        const next = at < 0 ? -1 : (after[at] ?? -1);
        if (next < 0 && fates[index] !== FATE.dropped) fates[index] = FATE.lost;
        return next;
      });
    }
  }
  return fates;
}

/** Which map (or unit) has the largest values: the largest sum of |v| over a map; the first of equals. */
export function strongestMap(values: Float32Array, maps: number): number {
  const size = values.length / maps;
  let best = 0;
  let most = -1;
  for (let map = 0; map < maps; map += 1) {
    let sum = 0;
    for (let index = map * size; index < (map + 1) * size; index += 1) sum += Math.abs(values[index] ?? 0);
    if (sum > most) {
      most = sum;
      best = map;
    }
  }
  return best;
}
