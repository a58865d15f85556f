/**
 * Where each value of a tensor lies in its picture. A picture is laid out in canvas pixels; one canvas pixel is `unit`
 * device pixels wide and high, always a whole number, so a value is always a square of whole device pixels.
 *
 * The picture is made of segments: blocks of values that lie row after row in the tensor. A conv kernel is one segment;
 * a unit of a dense layer whose inputs are folded into bands has one segment a band.
 */
export interface Tiles {
  /** Canvas pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a canvas pixel. */
  readonly unit: number;
  /** Canvas pixels a value, each way. */
  readonly cell: number;
  /** Canvas pixels between two neighbours. */
  readonly gap: number;
  /** Kernels (or maps, or units) in the picture. */
  readonly kernels: number;
  /** Values of one kernel, which lie together in the tensor. */
  readonly kernelSize: number;
  readonly segments: Segments;
  /** Of a matrix whose columns are sorted; null where they are in the order of the tensor, or are kernels themselves. */
  readonly inputs: InputOrder | null;
  /** Canvas lines on which a line of values begins; the `cell - 1` lines below repeat them. Ascending. */
  readonly lines: Int32Array;
}

/** One entry a segment in each array. */
export interface Segments {
  readonly count: number;
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** Values. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** Index of its first value in the tensor; where columns are sorted, of what would be there were they not. */
  readonly offset: Int32Array;
  readonly kernel: Int32Array;
}

/** Two permutations, inverse to each other. */
export interface InputOrder {
  /** Input at each column. */
  readonly at: Int32Array;
  /** Column of each input. */
  readonly columnOf: Int32Array;
}

interface Segment {
  readonly x: number;
  readonly y: number;
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
  readonly kernel: number;
}

export interface TileGrid {
  /** Tiles in the order of the tensor. */
  readonly count: number;
  readonly tileHeight: number;
  readonly tileWidth: number;
  /** Tiles side by side. */
  readonly across: number;
  /** Device pixels a value and between tiles. */
  readonly cell: number;
  readonly gap: number;
}

/** Equal tiles, row by row: conv kernels (filter by filter, input by input), feature maps, single units. */
export function tileGrid({ count, tileHeight, tileWidth, across, cell, gap }: TileGrid): Tiles {
  const unit = commonUnit(cell, gap);
  const pitchX = tileWidth * cell + gap;
  const pitchY = tileHeight * cell + gap;
  const segments = Array.from({ length: count }, (_, kernel) => ({
    x: ((kernel % across) * pitchX) / unit,
    y: (Math.floor(kernel / across) * pitchY) / unit,
    rows: tileHeight,
    columns: tileWidth,
    offset: kernel * tileHeight * tileWidth,
    kernel,
  }));
  return {
    width: (Math.min(across, count) * pitchX - gap) / unit,
    height: (Math.ceil(count / across) * pitchY - gap) / unit,
    unit,
    cell: cell / unit,
    gap: gap / unit,
    kernels: count,
    kernelSize: tileHeight * tileWidth,
    inputs: null,
    ...columnar(segments, cell / unit),
  };
}

export interface BandGrid {
  readonly units: number;
  readonly inputs: number;
  /** Inputs in one band; the last band has what is left. */
  readonly perBand: number;
  /** Device pixels a value and between bands. */
  readonly cell: number;
  readonly gap: number;
}

/** A matrix, one row a unit, its inputs folded into bands one below the other. */
export function bandGrid({ units, inputs, perBand, cell, gap }: BandGrid): Tiles {
  const bands = Math.ceil(inputs / perBand);
  const unit = bands === 1 ? cell : commonUnit(cell, gap);
  const segments: Segment[] = [];
  for (let band = 0; band < bands; band += 1) {
    for (let row = 0; row < units; row += 1) {
      segments.push({
        x: 0,
        y: (band * (units * cell + gap) + row * cell) / unit,
        rows: 1,
        columns: Math.min(perBand, inputs - band * perBand),
        offset: row * inputs + band * perBand,
        kernel: row,
      });
    }
  }
  return {
    width: (Math.min(perBand, inputs) * cell) / unit,
    height: (bands * (units * cell + gap) - gap) / unit,
    unit,
    cell: cell / unit,
    gap: bands === 1 ? 0 : gap / unit,
    kernels: units,
    kernelSize: inputs,
    inputs: null,
    ...columnar(segments, cell / unit),
  };
}

/** Index in the tensor of a segment's value, counted from 0 along its rows. */
export function indexAt({ segments, inputs, kernelSize }: Tiles, segment: number, inside: number): number {
  const unsorted = (segments.offset[segment] ?? 0) + inside;
  if (inputs === null) return unsorted;
  const start = (segments.kernel[segment] ?? 0) * kernelSize;
  return start + (inputs.at[unsorted - start] ?? 0);
}

/** What lies at a place of the picture. */
export interface Hit {
  readonly kernel: number;
  /** Index in the tensor. */
  readonly index: number;
}

/** Canvas pixels, fractions allowed. A gap belongs to the tile before it; null where there is no tile. */
export function hitTest(tiles: Tiles, x: number, y: number): Hit | null {
  const { segments, cell, gap } = tiles;
  for (let at = 0; at < segments.count; at += 1) {
    const left = segments.x[at] ?? 0;
    const top = segments.y[at] ?? 0;
    const columns = segments.columns[at] ?? 0;
    const rows = segments.rows[at] ?? 0;
    // Rows of a matrix touch; only tiles have a gap below and beside them.
    const margin = tiles.kernelSize === columns * rows ? gap : 0;
    if (x < left || y < top || x >= left + columns * cell + margin || y >= top + rows * cell + margin)
      continue;
    const column = Math.min(columns - 1, Math.floor((x - left) / cell));
    const row = Math.min(rows - 1, Math.floor((y - top) / cell));
    return { kernel: segments.kernel[at] ?? 0, index: indexAt(tiles, at, row * columns + column) };
  }
  return null;
}

/** Top left canvas pixel of a value; null for an index that is not in the picture. */
export function placeOf(tiles: Tiles, index: number): { readonly x: number; readonly y: number } | null {
  const { segments, cell, inputs, kernelSize } = tiles;
  const start = Math.floor(index / kernelSize) * kernelSize;
  const unsorted = inputs === null ? index : start + (inputs.columnOf[index - start] ?? 0);
  for (let at = 0; at < segments.count; at += 1) {
    const columns = segments.columns[at] ?? 0;
    const inside = unsorted - (segments.offset[at] ?? 0);
    if (inside < 0 || inside >= columns * (segments.rows[at] ?? 0)) continue;
    return {
      x: (segments.x[at] ?? 0) + (inside % columns) * cell,
      y: (segments.y[at] ?? 0) + Math.floor(inside / columns) * cell,
    };
  }
  return null;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The rectangles a kernel takes up, one a segment, in canvas pixels. */
export function rectsOf(tiles: Tiles, kernel: number): Rect[] {
  const { segments, cell } = tiles;
  const rects: Rect[] = [];
  for (let at = 0; at < segments.count; at += 1) {
    if (segments.kernel[at] !== kernel) continue;
    rects.push({
      x: segments.x[at] ?? 0,
      y: segments.y[at] ?? 0,
      width: (segments.columns[at] ?? 0) * cell,
      height: (segments.rows[at] ?? 0) * cell,
    });
  }
  return rects;
}

/** The largest canvas pixel in which both fit a whole number of times. */
function commonUnit(cell: number, gap: number): number {
  let [a, b] = [cell, gap];
  while (b > 0) [a, b] = [b, a % b];
  return a;
}

function columnar(list: readonly Segment[], cell: number): { segments: Segments; lines: Int32Array } {
  const lines = new Set<number>();
  for (const { y, rows } of list) {
    for (let row = 0; row < rows; row += 1) lines.add(y + row * cell);
  }
  return {
    segments: {
      count: list.length,
      x: Int32Array.from(list, (segment) => segment.x),
      y: Int32Array.from(list, (segment) => segment.y),
      rows: Int32Array.from(list, (segment) => segment.rows),
      columns: Int32Array.from(list, (segment) => segment.columns),
      offset: Int32Array.from(list, (segment) => segment.offset),
      kernel: Int32Array.from(list, (segment) => segment.kernel),
    },
    lines: Int32Array.from(lines).sort(),
  };
}
