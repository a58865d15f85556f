import { FATE } from '../scene/error-path';
import { placeOf } from '../scene/tiles';
import { deviceRect, type MarkContext, type MarkSpace } from './marks';

/** What became of the values of a picture, or of those of its first kernels. */
export interface FateMarks {
  /** FATE of each value. */
  readonly fates: Uint8Array;
  /** Outlines what passed: worth it where a pooling window lets one of several pass. */
  readonly outlined: boolean;
  /** Side of the pooling windows in values, where their lines are drawn. */
  readonly window: number | null;
}

export interface FateColours {
  readonly outline: string;
  /** Of many small cells, where the full outline would outshine what it is round. */
  readonly faintOutline: string;
  readonly cross: string;
  readonly windows: string;
}

/** Cells of fewer CSS pixels have no room for a cross, and an outline would leave nothing of them. */
const SMALLEST_MARKED = 4;
/** From this many CSS pixels a value on, its outline is bold. */
const SMALLEST_BOLD = 8;
/** Room between a cross and the edge of its cell, as a share of the cell. */
const CROSS_INSET = 0.3;
/** A cross needs no more than this to be seen, CSS pixels. */
const LARGEST_CROSS = 6;

/** Whether the marks are drawn at all at this size. */
export const hasRoomForFates = ({ tiles, pixelRatio }: MarkSpace): boolean =>
  tiles.cell * tiles.unit >= SMALLEST_MARKED * pixelRatio;

/**
 * Lines between the pooling windows, an outline round what won and passed, a cross on what ReLU stopped, an open box in a
 * unit that was dropped (a dropped map is empty as a whole and needs no marks).
 */
export function markFates(
  context: MarkContext,
  space: MarkSpace,
  { fates, outlined, window }: FateMarks,
  colours: FateColours,
): void {
  if (!hasRoomForFates(space)) return;
  const { tiles, pixelRatio } = space;
  const side = tiles.cell * tiles.unit;
  const line = Math.max(1, Math.round(pixelRatio));
  if (window !== null) windowLines(context, space, window, line, colours.windows);
  const half = Math.min(side * (0.5 - CROSS_INSET), (LARGEST_CROSS / 2) * pixelRatio);
  context.lineWidth = line;
  context.strokeStyle = colours.cross;
  context.beginPath();
  forEachFate(space, fates, FATE.stopped, (x, y) => {
    const [centreX, centreY] = [x + side / 2, y + side / 2];
    context.moveTo(centreX - half, centreY - half);
    context.lineTo(centreX + half, centreY + half);
    context.moveTo(centreX + half, centreY - half);
    context.lineTo(centreX - half, centreY + half);
  });
  context.stroke();
  if (tiles.kernelSize === 1) {
    const inset = Math.round(side / 4) + line / 2;
    forEachFate(space, fates, FATE.dropped, (x, y) => {
      context.strokeRect(x + inset, y + inset, side - 2 * inset, side - 2 * inset);
    });
  }
  if (!outlined) return;
  context.strokeStyle = side < SMALLEST_BOLD * pixelRatio ? colours.faintOutline : colours.outline;
  forEachFate(space, fates, FATE.passed, (x, y) => {
    // Just outside, so that the whole cell keeps its colour.
    context.strokeRect(x - line / 2, y - line / 2, side + line, side + line);
  });
}

function forEachFate(
  space: MarkSpace,
  fates: Uint8Array,
  wanted: number,
  visit: (x: number, y: number) => void,
): void {
  const { cell } = space.tiles;
  fates.forEach((fate, index) => {
    if (fate !== wanted) return;
    const place = placeOf(space.tiles, index);
    if (place === null) return;
    const { x, y } = deviceRect(space, { ...place, width: cell, height: cell });
    visit(x, y);
  });
}

/** Between windows only; what is left over at the edge is in none. */
function windowLines(
  context: MarkContext,
  space: MarkSpace,
  window: number,
  line: number,
  colour: string,
): void {
  const { segments, cell } = space.tiles;
  context.fillStyle = colour;
  for (let at = 0; at < segments.count; at += 1) {
    const [x, y] = [segments.x[at] ?? 0, segments.y[at] ?? 0];
    const across = Math.floor((segments.columns[at] ?? 0) / window);
    const down = Math.floor((segments.rows[at] ?? 0) / window);
    const whole = deviceRect(space, {
      x,
      y,
      width: across * window * cell,
      height: down * window * cell,
    });
    const pitch = (whole.width / Math.max(1, across)) | 0;
    for (let column = 1; column < across; column += 1)
      context.fillRect(whole.x + column * pitch - Math.floor(line / 2), whole.y, line, whole.height);
    for (let row = 1; row < down; row += 1)
      context.fillRect(whole.x, whole.y + row * pitch - Math.floor(line / 2), whole.width, line);
  }
}
