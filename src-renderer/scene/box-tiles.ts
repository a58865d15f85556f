import { tileGrid, type Tiles } from './tiles';

/** What is laid out in a box: equal tiles of height x width values. One map, all maps of a layer, or single units. */
export interface BoxContent {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Below this many CSS pixels a value, a gap between single units would take more than the units. */
const SMALLEST_PARTED = 3;

/**
 * Tiles in a square box, with as many whole device pixels a value as fit; of arrangements that fit equally well the one
 * that is nearest to a square. Where not even one pixel a value fits, the picture is larger than the box.
 *
 * @param box side, CSS pixels
 */
export function boxTiles({ count, height, width }: BoxContent, box: number, pixelRatio: number): Tiles {
  const room = Math.floor(box * pixelRatio + 1e-6);
  const line = Math.max(1, Math.floor(pixelRatio));
  let best = { across: Math.ceil(Math.sqrt(count)), cell: 0, gap: 0, longer: Number.POSITIVE_INFINITY };
  for (let across = count; across >= 1; across -= 1) {
    const down = Math.ceil(count / across);
    const fit = (gap: number): number =>
      Math.floor(
        Math.min((room - (across - 1) * gap) / (across * width), (room - (down - 1) * gap) / (down * height)),
      );
    const parted = fit(line);
    const isParted = count > 1 && (height * width > 1 || parted >= SMALLEST_PARTED * pixelRatio);
    const gap = isParted ? line : 0;
    const cell = isParted ? parted : fit(0);
    const longer = Math.max(across * (width * cell + gap), down * (height * cell + gap));
    if (cell > best.cell || (cell === best.cell && longer < best.longer))
      best = { across, cell, gap, longer };
  }
  return tileGrid({
    count,
    tileHeight: height,
    tileWidth: width,
    across: best.across,
    cell: Math.max(1, best.cell),
    gap: best.gap,
  });
}
