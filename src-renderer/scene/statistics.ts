/** Plain figures about a stretch of values. NaN and infinity count as values and make a sum what they make it. */

/** L2 norm. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

export function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? 0 : sum / values.length;
}

export function largest(values: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) return value;
    if (value > most) most = value;
  }
  return most;
}

/** Share of values above zero, 0..1; NaN when one of them is NaN, for then nobody can say. */
export function positiveShare(values: Float32Array): number {
  let positive = 0;
  for (const value of values) {
    if (Number.isNaN(value)) return value;
    if (value > 0) positive += 1;
  }
  return values.length === 0 ? 0 : positive / values.length;
}

/** Mean of each of `channels` equal stretches. */
export function channelMeans(values: Float32Array, channels: number): Float32Array {
  const size = values.length / channels;
  return Float32Array.from({ length: channels }, (_, channel) =>
    mean(values.subarray(channel * size, (channel + 1) * size)),
  );
}

/** How many of `channels` equal stretches have no value above zero. */
export function silentChannels(values: Float32Array, channels: number): number {
  const size = values.length / channels;
  let silent = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    if (positiveShare(values.subarray(channel * size, (channel + 1) * size)) === 0) silent += 1;
  }
  return silent;
}

/** Writes the mean of `channels` maps, position by position. */
export function meanMap(values: Float32Array, channels: number, target: Float32Array): void {
  target.fill(0);
  const size = target.length;
  for (let channel = 0; channel < channels; channel += 1) {
    const start = channel * size;
    for (let index = 0; index < size; index += 1)
      target[index] = (target[index] ?? 0) + (values[start + index] ?? 0);
  }
  for (let index = 0; index < size; index += 1) target[index] = (target[index] ?? 0) / channels;
}

/** Kernel with the largest L2 norm; kernels lie one after the other. */
export function largestKernel(values: Float32Array, kernelSize: number): number {
  let best = 0;
  let most = -1;
  for (let start = 0; start + kernelSize <= values.length; start += kernelSize) {
    let sum = 0;
    for (let index = start; index < start + kernelSize; index += 1) sum += (values[index] ?? 0) ** 2;
    if (sum > most) {
      most = sum;
      best = start / kernelSize;
    }
  }
  return best;
}

/** Means over blocks of a (rows, columns) matrix, as many blocks as `target` asks for. */
export function blockMeans(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  target: Float32Array,
  [blockRows, blockColumns]: readonly [number, number],
): void {
  for (let blockRow = 0; blockRow < blockRows; blockRow += 1) {
    const top = Math.floor((blockRow * rows) / blockRows);
    const bottom = Math.max(top + 1, Math.floor(((blockRow + 1) * rows) / blockRows));
    for (let blockColumn = 0; blockColumn < blockColumns; blockColumn += 1) {
      const left = Math.floor((blockColumn * columns) / blockColumns);
      const right = Math.max(left + 1, Math.floor(((blockColumn + 1) * columns) / blockColumns));
      let sum = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let column = left; column < right; column += 1) sum += values[row * columns + column] ?? 0;
      }
      target[blockRow * blockColumns + blockColumn] = sum / ((bottom - top) * (right - left));
    }
  }
}
