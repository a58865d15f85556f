import { indexAt, rectsOf, type Rect, type Tiles } from '../scene/tiles';

/** What is drawn over a picture, in device pixels: marks of what must not be overlooked. */
export type MarkContext = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'save'
  | 'restore'
  | 'beginPath'
  | 'rect'
  | 'clip'
  | 'moveTo'
  | 'lineTo'
  | 'stroke'
  | 'fill'
  | 'fillRect'
  | 'strokeRect'
  | 'clearRect'
  | 'closePath'
>;

export interface MarkColours {
  readonly nan: string;
  readonly zero: string;
}

/** CSS pixels of room that marks have round the picture. */
export const MARK_MARGIN = 2;
const STRIPE = 2;
const NOTCH = 5;

export interface MarkSpace {
  readonly tiles: Tiles;
  readonly pixelRatio: number;
}

/** Width and height of the canvas over a picture, in device pixels. */
export const markCanvasSize = ({ tiles, pixelRatio }: MarkSpace): { width: number; height: number } => ({
  width: tiles.width * tiles.unit + 2 * marginOf(pixelRatio),
  height: tiles.height * tiles.unit + 2 * marginOf(pixelRatio),
});

export const marginOf = (pixelRatio: number): number => Math.round(MARK_MARGIN * pixelRatio);

/** A segment's rectangle in device pixels on the canvas of the marks. */
export function deviceRect({ tiles, pixelRatio }: MarkSpace, { x, y, width, height }: Rect): Rect {
  const margin = marginOf(pixelRatio);
  const { unit } = tiles;
  return { x: x * unit + margin, y: y * unit + margin, width: width * unit, height: height * unit };
}

/**
 * NaN and infinity: the cells, which the picture has already given their colour, get a hatch of zero's colour, and their
 * kernel an edge. A cell of less than two CSS pixels stays solid unless its whole segment is hatched, for a stripe could
 * swallow it. Where rows touch, the edge is drawn beside them only, for it would hide the neighbours.
 */
export function markNonFinite(
  context: MarkContext,
  space: MarkSpace,
  values: Float32Array,
  colours: MarkColours,
): void {
  const { tiles, pixelRatio } = space;
  const { segments, cell, unit } = tiles;
  const cells: Rect[] = [];
  const edges: { rect: Rect; sidesOnly: boolean }[] = [];
  for (let at = 0; at < segments.count; at += 1) {
    const columns = segments.columns[at] ?? 0;
    const rows = segments.rows[at] ?? 0;
    const bad: number[] = [];
    for (let inside = 0; inside < rows * columns; inside += 1) {
      if (!Number.isFinite(values[indexAt(tiles, at, inside)] ?? 0)) bad.push(inside);
    }
    if (bad.length === 0) continue;
    const x = segments.x[at] ?? 0;
    const y = segments.y[at] ?? 0;
    const whole: Rect = { x, y, width: columns * cell, height: rows * cell };
    edges.push({
      rect: deviceRect(space, whole),
      sidesOnly: rows * columns !== tiles.kernelSize || tiles.gap === 0,
    });
    if (bad.length === rows * columns) cells.push(deviceRect(space, whole));
    else if (cell * unit >= STRIPE * pixelRatio) {
      for (const inside of bad) {
        const place = { x: x + (inside % columns) * cell, y: y + Math.floor(inside / columns) * cell };
        cells.push(deviceRect(space, { ...place, width: cell, height: cell }));
      }
    }
  }
  if (edges.length === 0) return;
  hatch(context, space, cells, colours.zero);
  const line = Math.max(1, Math.round(pixelRatio));
  context.fillStyle = colours.nan;
  for (const { rect, sidesOnly } of edges) {
    context.fillRect(rect.x - line, rect.y, line, rect.height);
    context.fillRect(rect.x + rect.width, rect.y, line, rect.height);
    if (sidesOnly) continue;
    context.fillRect(rect.x - line, rect.y - line, rect.width + 2 * line, line);
    context.fillRect(rect.x - line, rect.y + rect.height, rect.width + 2 * line, line);
  }
}

/** Stripes at 45 degrees, as thick as the space between them. */
function hatch(context: MarkContext, space: MarkSpace, cells: readonly Rect[], colour: string): void {
  if (cells.length === 0) return;
  const { width, height } = markCanvasSize(space);
  const stripe = STRIPE * space.pixelRatio;
  context.save();
  context.beginPath();
  for (const { x, y, width: cellWidth, height: cellHeight } of cells)
    context.rect(x, y, cellWidth, cellHeight);
  context.clip();
  context.beginPath();
  const pitch = 2 * stripe * Math.SQRT2;
  for (let x = -height; x < width; x += pitch) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.strokeStyle = colour;
  context.lineWidth = stripe;
  context.stroke();
  context.restore();
}

/** Dead filters: a notch in the corner of each of their kernels' first tile, or a bar beside a unit's row. */
export function markDeadKernels(
  context: MarkContext,
  space: MarkSpace,
  firstKernels: readonly number[],
  colour: string,
): void {
  const { tiles, pixelRatio } = space;
  const notch = NOTCH * pixelRatio;
  const bar = MARK_MARGIN * pixelRatio;
  context.fillStyle = colour;
  for (const kernel of firstKernels) {
    for (const rect of rectsOf(tiles, kernel)) {
      const { x, y, height } = deviceRect(space, rect);
      if (height < notch) {
        context.fillRect(x - bar, y, bar, Math.max(height, pixelRatio));
        continue;
      }
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + notch, y);
      context.lineTo(x, y + notch);
      context.closePath();
      context.fill();
    }
  }
}

/** Output maps of dead filters: an outline, struck through. */
export function markDeadMaps(
  context: MarkContext,
  space: MarkSpace,
  maps: readonly number[],
  colour: string,
): void {
  const line = Math.max(1, Math.round(space.pixelRatio));
  context.strokeStyle = colour;
  context.lineWidth = line;
  for (const map of maps) {
    for (const rect of rectsOf(space.tiles, map)) {
      const { x, y, width, height } = deviceRect(space, rect);
      context.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
      context.beginPath();
      context.moveTo(x, y + height);
      context.lineTo(x + width, y);
      context.stroke();
    }
  }
}
