import { kernelAt, kernelsAcross, placeOfKernel } from '../../scene/arrangement';
import type { Tiles } from '../../scene/tiles';

/** The kernel an arrow key leads to on the screen; null where there is none, or for another key. */
export function neighbour(key: string, from: number, tiles: Tiles): number | null {
  const across = kernelsAcross(tiles);
  const place = placeOfKernel(tiles, from);
  const column = place % across;
  const last = tiles.kernels - 1;
  const to = {
    ArrowLeft: column === 0 ? -1 : place - 1,
    ArrowRight: column === across - 1 ? -1 : place + 1,
    ArrowUp: place - across,
    ArrowDown: place + across,
    Home: place - column,
    End: Math.min(last, place - column + across - 1),
  }[key];
  return to === undefined || to < 0 || to > last ? null : kernelAt(tiles, to);
}

/** Columns that Left and Right skip with Shift. */
const STRIDE = 10;

/** Where a key moves the loupe along the row of a unit; null for another key. */
export function alongUnit(
  { key, shiftKey }: { readonly key: string; readonly shiftKey: boolean },
  from: number,
  inputs: number,
): number | null {
  const by = shiftKey ? STRIDE : 1;
  const to = { ArrowLeft: from - by, ArrowRight: from + by, Home: 0, End: inputs - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(inputs - 1, to));
}
