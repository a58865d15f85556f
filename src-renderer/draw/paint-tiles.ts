import { NON_FINITE_INDEX, RAMP_SIZE, ZERO_INDEX } from '../scene/colour-table';
import type { Tiles } from '../scene/tiles';

/** A picture's memory: `pixels` are the canvas's own bytes, one word a pixel. */
export interface Raster {
  readonly pixels: Uint32Array;
  readonly width: number;
}

/**
 * Writes every value of a tensor as a square of its colour; what lies between the tiles stays as it is.
 *
 * @param values the tensor, in its own order, however its picture is sorted
 * @param scales end of the scale of each kernel, or one for all
 * @param colours 256 pixels as ColourTable.pixels
 */
export function paintTiles(
  raster: Raster,
  tiles: Tiles,
  values: Float32Array,
  scales: Float64Array,
  colours: Uint32Array,
): void {
  const { pixels, width } = raster;
  const { segments, cell, lines, kernelSize } = tiles;
  const inputAt = tiles.inputs?.at ?? null;
  const nonFinite = colours[NON_FINITE_INDEX] ?? 0;
  const lowest = colours[0] ?? 0;
  const highest = colours[RAMP_SIZE - 1] ?? 0;
  const oneScale = scales.length === 1;
  const rampSize = RAMP_SIZE;
  const zero = ZERO_INDEX;
  for (let at = 0; at < segments.count; at += 1) {
    const scale = scales[oneScale ? 0 : (segments.kernel[at] ?? 0)] ?? 1;
    const columns = segments.columns[at] ?? 0;
    const rows = segments.rows[at] ?? 0;
    let source = segments.offset[at] ?? 0;
    const start = (segments.kernel[at] ?? 0) * kernelSize;
    let line = (segments.y[at] ?? 0) * width + (segments.x[at] ?? 0);
    for (let row = 0; row < rows; row += 1) {
      let target = line;
      for (let column = 0; column < columns; column += 1) {
        // The same arithmetic as indexAt.
        const index = inputAt === null ? source : start + (inputAt[source - start] ?? 0);
        const value = values[index] ?? 0;
        source += 1;
        // The same arithmetic as colourIndex, without a call a value.
        const place = zero + 0.5 + (zero * value) / scale;
        let colour: number;
        if (place >= 0 && place < rampSize) colour = colours[place | 0] ?? 0;
        else if (value - value !== 0) colour = nonFinite;
        else colour = place < 0 ? lowest : highest;
        for (let repeat = 0; repeat < cell; repeat += 1) {
          pixels[target] = colour;
          target += 1;
        }
      }
      line += width * cell;
    }
  }
  if (cell === 1) return;
  for (const y of lines) {
    const start = y * width;
    for (let repeat = 1; repeat < cell; repeat += 1) {
      pixels.copyWithin(start + repeat * width, start, start + width);
    }
  }
}

/** Every value as zero: the ground of what was cleared or never computed. */
export function paintZero(raster: Raster, tiles: Tiles, colours: Uint32Array): void {
  const { pixels, width } = raster;
  const { segments, cell } = tiles;
  const zero = colours[ZERO_INDEX] ?? 0;
  for (let at = 0; at < segments.count; at += 1) {
    const x = segments.x[at] ?? 0;
    const y = segments.y[at] ?? 0;
    const right = x + (segments.columns[at] ?? 0) * cell;
    const bottom = y + (segments.rows[at] ?? 0) * cell;
    for (let line = y; line < bottom; line += 1) pixels.fill(zero, line * width + x, line * width + right);
  }
}
