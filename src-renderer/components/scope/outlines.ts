import { rectsOf, type Rect, type Tiles } from '../../scene/tiles';
import { setHidden } from '../set-text';

/** Room between a kernel and its outline, CSS pixels. */
const OUTLINE_ROOM = 2;

/** Where an outline lies round a rectangle of canvas pixels, CSS pixels. */
export function outlineStyle(
  rect: Rect,
  tiles: Tiles,
  pixelRatio: number,
): { left: number; top: number; width: number; height: number } {
  const size = tiles.unit / pixelRatio;
  return {
    left: rect.x * size - OUTLINE_ROOM,
    top: rect.y * size - OUTLINE_ROOM,
    width: rect.width * size + 2 * OUTLINE_ROOM,
    height: rect.height * size + 2 * OUTLINE_ROOM,
  };
}

/** Puts the outlines in `host`, one a rectangle, round a kernel; null: round none. */
export function placeOutlines(
  host: HTMLElement | null,
  tiles: Tiles,
  pixelRatio: number,
  kernel: number | null,
): void {
  if (host === null || !setIfOther(host, String(kernel))) return;
  const rects = kernel === null ? [] : rectsOf(tiles, kernel);
  [...host.children].forEach((child, band) => {
    const rect = rects[band];
    if (!(child instanceof HTMLElement)) return;
    setHidden(child, rect === undefined);
    if (rect === undefined) return;
    const { left, top, width, height } = outlineStyle(rect, tiles, pixelRatio);
    Object.assign(child.style, {
      left: `${String(left)}px`,
      top: `${String(top)}px`,
      width: `${String(width)}px`,
      height: `${String(height)}px`,
    });
  });
}

function setIfOther(host: HTMLElement, kernel: string): boolean {
  if (host.dataset['kernel'] === kernel) return false;
  host.dataset['kernel'] = kernel;
  return true;
}
