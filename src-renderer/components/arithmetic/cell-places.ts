import { cssSize } from '../../scene/scope-layout';
import { placeOf, type Tiles } from '../../scene/tiles';
import type { CellColumn } from './cell';

/** In the window, CSS pixels. */
export interface ScreenRect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a value of a picture is now; null when the picture does not show it. */
export type Locate = (index: number) => ScreenRect | null;

/** Where the values on the screen are. Pictures enlist while they are mounted; a layer may be in more than one. */
class CellPlaces {
  private readonly places = new Map<string, Set<Locate>>();

  /** Returns what takes it out again. */
  add(layer: string, column: CellColumn, locate: Locate): () => void {
    const key = `${column} ${layer}`;
    const all = this.places.get(key) ?? new Set();
    this.places.set(key, all.add(locate));
    return () => {
      all.delete(locate);
    };
  }

  /** Of several pictures the one at `near`, if one is there. */
  find(layer: string, column: CellColumn, index: number, near: { x: number; y: number }): ScreenRect | null {
    let found: ScreenRect | null = null;
    for (const locate of this.places.get(`${column} ${layer}`) ?? []) {
      const rect = locate(index);
      if (rect !== null && (found === null || contains(rect, near))) found = rect;
    }
    return found;
  }
}

const contains = ({ left, top, width, height }: ScreenRect, { x, y }: { x: number; y: number }): boolean =>
  x >= left && x < left + width && y >= top && y < top + height;

/** The page has one screen. */
export const cellPlaces = new CellPlaces();

/** Of a canvas that shows all of `tiles`. */
export function locateIn(canvas: HTMLCanvasElement, tiles: Tiles, pixelRatio: number): Locate {
  return (index) => {
    const place = placeOf(tiles, index);
    if (place === null) return null;
    const { left, top } = canvas.getBoundingClientRect();
    const size = cssSize(tiles.cell, tiles, pixelRatio);
    return {
      left: left + cssSize(place.x, tiles, pixelRatio),
      top: top + cssSize(place.y, tiles, pixelRatio),
      width: size,
      height: size,
    };
  };
}
