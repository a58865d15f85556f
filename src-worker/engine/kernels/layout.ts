/**
 * Reorderings between PyTorch's layout, channel first, in which values cross the engine's interface and parameters are
 * held, and the layouts that kernels work in.
 */

/** (n, channels, pixels) -> (n, pixels, channels) */
export function toChannelsLast(
  n: number,
  channels: number,
  pixels: number,
  source: Float32Array,
  target: Float32Array,
): void {
  transposeEach(n, channels, pixels, source, target);
}

/** (n, pixels, channels) -> (n, channels, pixels) */
export function toChannelsFirst(
  n: number,
  channels: number,
  pixels: number,
  source: Float32Array,
  target: Float32Array,
): void {
  transposeEach(n, pixels, channels, source, target);
}

/** (n, rows, columns) -> (n, columns, rows) */
export function transposeEach(
  n: number,
  rows: number,
  columns: number,
  source: Float32Array,
  target: Float32Array,
): void {
  if (rows === 1 || columns === 1) {
    target.set(source);
    return;
  }
  const size = rows * columns;
  for (let each = 0; each < n; each++) {
    const start = each * size;
    let to = start;
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) target[to++] = source[start + row * columns + column]!;
    }
  }
}

/** One factor for each channel, (n, channels), to one for each value, (n, pixels, channels). */
export function spreadFactors(
  n: number,
  channels: number,
  pixels: number,
  source: Float32Array,
  target: Float32Array,
): void {
  let to = 0;
  for (let each = 0; each < n; each++) {
    const row = source.subarray(each * channels, (each + 1) * channels);
    for (let pixel = 0; pixel < pixels; pixel++, to += channels) target.set(row, to);
  }
}
