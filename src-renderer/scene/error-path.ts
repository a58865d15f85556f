import type { LayerPlan, LayerSpecOf } from '../../src-shared/model/network';

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

type PoolSpec = LayerSpecOf<'maxPool2d' | 'averagePool2d'>;

/**
 * Index in the input of the value that won each window of max-pooling, one entry an output value. As in PyTorch: the first
 * of equal values in row-major order; a NaN wins over every number, and the last NaN of a window over those before it; never
 * the padding.
 *
 * @param input (channels, height, width)
 */
export function poolWinners(
  input: Float32Array,
  shape: readonly number[],
  spec: Pick<PoolSpec, 'size' | 'stride' | 'padding'>,
): Int32Array {
  const winners: number[] = [];
  const best: number[] = [];
  eachPooled(shape, spec, (index, out) => {
    const value = input[index] ?? 0;
    winners[out] ??= index;
    best[out] ??= Number.NEGATIVE_INFINITY;
    if (!(value > best[out] || Number.isNaN(value))) return;
    best[out] = value;
    winners[out] = index;
  });
  return Int32Array.from(winners);
}

/** Visits each value of the image under each window, window by window, row by row. */
function eachPooled(
  [channels = 1, height = 1, width = 1]: readonly number[],
  { size, stride, padding }: Pick<PoolSpec, 'size' | 'stride' | 'padding'>,
  visit: (index: number, out: number) => void,
): void {
  const windows = (extent: number): number => Math.floor((extent + 2 * padding - size) / stride) + 1;
  let out = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = 0; y < windows(height); y += 1) {
      for (let x = 0; x < windows(width); x += 1, out += 1) {
        const [top, left] = [y * stride - padding, x * stride - padding];
        for (let row = Math.max(0, top); row < Math.min(height, top + size); row += 1) {
          for (let column = Math.max(0, left); column < Math.min(width, left + size); column += 1) {
            visit((channel * height + row) * width + column, out);
          }
        }
      }
    }
  }
}

/**
 * The fate of each value that goes into the first of these layers, on its way through all of them: one FATE a value.
 * Of several reasons for which an error does not come back the first that it met going forward is told, but one that
 * another value of its window beat is lost, whatever had been made of it. Where windows overlap, a value that reaches the end
 * through any of them passed.
 */
export function fatesAlong(path: readonly PathLayer[]): Uint8Array {
  const last = path.at(-1);
  // Backwards: of the values that come out of a layer, then of those that go in. Being lost is noted apart, as it may come
  // after another reason and outweighs it.
  let fates = new Uint8Array(last?.output.length ?? 0);
  let lost = new Uint8Array(fates.length);
  for (const { layer, input, output, mask } of path.toReversed()) {
    const { spec, inputShape } = layer;
    if (spec.kind === 'relu') {
      fates = fates.map((fate, index) => {
        // NaN is not stopped.
        return (output[index] ?? 0) <= 0 ? FATE.stopped : fate;
      });
    } else if (spec.kind === 'dropout' && mask !== null) {
      const each = input.length / mask.length;
      fates.forEach((_, index) => {
        if (mask[Math.floor(index / each)] === 0) fates[index] = FATE.dropped;
      });
    } else if (spec.kind === 'maxPool2d' || spec.kind === 'averagePool2d') {
      const before = new Uint8Array(input.length);
      const lostBefore = new Uint8Array(input.length).fill(1);
      const goesOn = (index: number, out: number): void => {
        const isPassed = lost[out] === 0 && fates[out] === FATE.passed;
        if (lostBefore[index] === 0 && !isPassed) return;
        before[index] = fates[out] ?? FATE.passed;
        lostBefore[index] = lost[out] ?? 0;
      };
      if (spec.kind === 'maxPool2d') poolWinners(input, inputShape, spec).forEach(goesOn);
      else eachPooled(inputShape, spec, goesOn);
      fates = before;
      lost = lostBefore;
    }
  }
  return fates.map((fate, index) => (lost[index] === 1 && fate !== FATE.dropped ? FATE.lost : fate));
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
