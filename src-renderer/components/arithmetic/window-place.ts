import type { ExplanationOf } from '../../../src-shared/protocol/explanation';

/** Whether a place of a window, row-major, is in the map; what is not lies in the padding. */
export function isInsideWindow(
  inside: ExplanationOf<'window'>['inside'],
  width: number,
  index: number,
): boolean {
  const row = Math.floor(index / width);
  const column = index % width;
  return row >= inside.top && row < inside.bottom && column >= inside.left && column < inside.right;
}
