import { GradscopeError } from '../../../src-shared/protocol/errors';

/** @throws GradscopeError `internal` when these are not the arguments that Pass.loadBytes() takes */
export function checkBytes(
  pixels: Uint8Array,
  indices: ArrayLike<number>,
  size: number,
  table: Float32Array,
  labels: Uint8Array,
): void {
  const n = indices.length;
  if (n < 1 || labels.length !== n || table.length !== 256) {
    throw new GradscopeError(
      'internal',
      `A minibatch of ${n} images in bytes needs ${n} labels and a table of 256 values, ` +
        `but ${labels.length} and ${table.length} were given.`,
    );
  }
  const images = Math.floor(pixels.length / size);
  for (let i = 0; i < n; i++) {
    const index = indices[i]!;
    if (index >= 0 && index < images) continue;
    throw new GradscopeError(
      'internal',
      `There are images 0 to ${images - 1}, but number ${index} was asked for.`,
    );
  }
}

/** `images`, (n, size): the bytes of each of them through the table. See Pass.loadBytes(). */
export function lookUpBytes(
  pixels: Uint8Array,
  indices: ArrayLike<number>,
  size: number,
  table: Float32Array,
  images: Float32Array,
): void {
  let to = 0;
  for (let i = 0; i < indices.length; i++) {
    const end = (indices[i]! + 1) * size;
    for (let from = end - size; from < end; from++) images[to++] = table[pixels[from]!]!;
  }
}
