import type { Tiles } from '../../scene/tiles';

/** How many kernels lie side by side in the picture. */
export function kernelsAcross({ segments, kernels }: Tiles): number {
  const top = segments.y[0] ?? 0;
  let across = 1;
  while (across < kernels && segments.kernel[across] === across && segments.y[across] === top) across += 1;
  return across;
}

/** The kernel an arrow key leads to; null where there is none, or for another key. */
export function neighbour(key: string, from: number, tiles: Tiles): number | null {
  const across = kernelsAcross(tiles);
  const column = from % across;
  const last = tiles.kernels - 1;
  const to = {
    ArrowLeft: column === 0 ? -1 : from - 1,
    ArrowRight: column === across - 1 ? -1 : from + 1,
    ArrowUp: from - across,
    ArrowDown: from + across,
    Home: from - column,
    End: Math.min(last, from - column + across - 1),
  }[key];
  return to === undefined || to < 0 || to > last ? null : to;
}
