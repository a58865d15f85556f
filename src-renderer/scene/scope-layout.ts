import type { NetworkPlan } from '../../src-shared/model/network';
import { arrangeKernels, arrangeMaps, type Arrangement } from './arrangement';
import { kernelShape, networkRows, sizesText, type BetweenRow, type LayerRow } from './network-rows';
import { bandGrid, tileGrid, type Tiles } from './tiles';

/** CSS pixels throughout, but for the pictures, which are laid out in device pixels. */
export interface Viewport {
  readonly windowWidth: number;
  readonly windowHeight: number;
  /** What the grid has for its rows. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel. */
  readonly pixelRatio: number;
}

export interface ScopeColumns {
  readonly pad: number;
  readonly head: number;
  readonly gutter: number;
  /** W, g and dW, each followed by its scale; the last one also by the rail of the output. */
  readonly kernels: number;
  readonly scale: number;
  readonly lastScale: number;
  /** Output and error. */
  readonly maps: number;
  readonly betweenMaps: number;
}

export interface MapPicture {
  readonly tiles: Tiles;
  /** The last tile is the mean of the others. */
  readonly withMean: boolean;
  /** Words under output and error; null where there is no room. */
  readonly caption: { readonly output: string; readonly error: string } | null;
}

export interface LayerRowLayout extends LayerRow {
  /** W, g and dW have the same geometry. */
  readonly kernels: Tiles;
  /**
   * At less than one pixel a weight the matrix is shown as means over blocks (rows x columns of weights), and says so;
   * null where every weight has its pixel.
   */
  readonly overview: { readonly rows: number; readonly columns: number } | null;
  readonly maps: MapPicture;
  /** Which filters and inputs lie where in `kernels`, and in `maps`. */
  readonly arrangement: Arrangement;
  /** Its head has name, sizes and health in one line: where the row is low and the sizes are short. */
  readonly oneLineHead: boolean;
  /** Height of its pictures, or of its head where that is taller. */
  readonly height: number;
}

/** A few maps (or all units) of what leaves a layer, low enough for a slim row. */
export interface Strip {
  readonly tiles: Tiles;
  /** Maps or units that there are. */
  readonly of: number;
}

export interface BetweenRowLayout extends BetweenRow {
  /** By place in the network; a layer whose maps have no room is not in it. */
  readonly strips: ReadonlyMap<number, Strip>;
}

export type RowLayout = LayerRowLayout | BetweenRowLayout;

export interface ScopeLayout {
  readonly compact: boolean;
  readonly columns: ScopeColumns;
  readonly rowPadding: { readonly top: number; readonly bottom: number };
  readonly rows: readonly RowLayout[];
  readonly width: number;
  readonly height: number;
}

export const BETWEEN_HEIGHT = 16;
const ROW_PADDING = { top: 2, bottom: 2 };
/** Height of the caption under a picture with the space above it. */
const CAPTION_HEIGHT = 19;
const COMPACT_WIDTH = 1280;
const COMPACT_HEIGHT = 760;
const LARGE_WIDTH = 1680;
const LARGE_HEIGHT = 1050;
/** Least height of a row's head: name and sizes in one line or in two, the numbers, and a sparkline. */
const ONE_LINE_HEAD = 47;
const TWO_LINE_HEAD = 64;
/** Characters that fit beside the name: `10 \u00d7 50`. */
const SHORT_SIZES = 7;
/** A matrix at one pixel a weight may be as tall as conv2; beyond that it is shown as an overview. */
const TALLEST_MATRIX = 330;

/**
 * The largest whole number of pixels a weight, up to that of the window's size class, with which the grid fits into
 * `viewport`; when nothing fits, the smallest, and the grid scrolls.
 */
export function scopeLayout(plan: NetworkPlan, viewport: Viewport): ScopeLayout {
  const { windowWidth, windowHeight } = viewport;
  const compact = windowWidth < COMPACT_WIDTH || windowHeight < COMPACT_HEIGHT;
  const large = windowWidth >= LARGE_WIDTH && windowHeight >= LARGE_HEIGHT;
  const densest = compact ? 2 : large ? 4 : 3;
  for (let density = densest; density > 2; density -= 1) {
    const layout = layoutAt(plan, viewport, density, compact);
    if (layout.width <= viewport.width && layout.height <= viewport.height) return layout;
  }
  return layoutAt(plan, viewport, 2, compact);
}

function layoutAt(plan: NetworkPlan, viewport: Viewport, density: number, compact: boolean): ScopeLayout {
  const columns = columnsFor(viewport, density, compact);
  const scale = { density, ratio: viewport.pixelRatio };
  const rows = networkRows(plan).map((row) =>
    row.kind === 'layer' ? layerRow(row, columns, scale) : betweenRow(row, columns, scale),
  );
  const { pad, head, gutter, kernels, scale: scaleWidth, lastScale, maps, betweenMaps } = columns;
  return {
    compact,
    columns,
    rowPadding: ROW_PADDING,
    rows,
    width: pad + head + gutter + 3 * kernels + 2 * scaleWidth + lastScale + 2 * maps + betweenMaps,
    height: rows.reduce(
      (sum, row) =>
        sum + (row.kind === 'layer' ? row.height + ROW_PADDING.top + ROW_PADDING.bottom : BETWEEN_HEIGHT),
      0,
    ),
  };
}

interface PixelScale {
  readonly density: number;
  readonly ratio: number;
}

function columnsFor({ width }: Viewport, density: number, compact: boolean): ScopeColumns {
  const fixed = compact
    ? { pad: 8, head: 136, gutter: 18, scale: 16, lastScale: 26, betweenMaps: 11 }
    : { pad: 12, head: 134, gutter: 18, scale: 16, lastScale: 27, betweenMaps: 14 };
  const wanted = density >= 4 ? { kernels: 210, maps: 168 } : { kernels: 160, maps: compact ? 124 : 126 };
  const taken = fixed.pad + fixed.head + fixed.gutter + 2 * fixed.scale + fixed.lastScale + fixed.betweenMaps;
  // Maps keep their width; kernels give way down to two pixels a weight of a ten-input conv layer.
  const kernels = Math.floor((width - taken - 2 * wanted.maps) / 3);
  const least = density <= 2 ? 109 : wanted.kernels;
  return { ...fixed, kernels: Math.max(least, Math.min(wanted.kernels, kernels)), maps: wanted.maps };
}

/** Whole device pixels for `css` CSS pixels: never more, so that what fits at one ratio fits at all, and at least one. */
const devicePixels = (css: number, ratio: number): number => Math.max(1, Math.floor(css * ratio + 1e-6));

/** CSS pixels of a picture's side. */
export const cssSize = (canvasPixels: number, tiles: Tiles, pixelRatio: number): number =>
  (canvasPixels * tiles.unit) / pixelRatio;

function layerRow(row: LayerRow, columns: ScopeColumns, scale: PixelScale): LayerRowLayout {
  const { kernels, overview } = kernelTiles(row.weight.shape, columns.kernels, scale);
  const captionHeight = overview === null ? 0 : CAPTION_HEIGHT;
  const pictureHeight = cssSize(kernels.height, kernels, scale.ratio) + captionHeight;
  const room = Math.max(pictureHeight, ONE_LINE_HEAD);
  const maps = mapPicture(row, columns.maps, room, scale);
  const mapsHeight =
    cssSize(maps.tiles.height, maps.tiles, scale.ratio) + (maps.caption === null ? 0 : CAPTION_HEIGHT);
  const content = Math.max(pictureHeight, mapsHeight);
  const oneLineHead = content < TWO_LINE_HEAD && sizesText(row.weight.shape).length <= SHORT_SIZES;
  const height = Math.ceil(Math.max(content, oneLineHead ? ONE_LINE_HEAD : TWO_LINE_HEAD));
  const arrangement = { filters: null, inputs: null };
  return { ...row, kernels, overview, maps, arrangement, oneLineHead, height };
}

/** The row with its filters and inputs sorted, all five pictures alike. Block means of an overview have no order to change. */
export function arrangeRow(row: LayerRowLayout, arrangement: Arrangement): LayerRowLayout {
  if (row.overview !== null) return row;
  return {
    ...row,
    kernels: arrangeKernels(row.kernels, kernelShape(row.weight.shape), arrangement),
    maps: { ...row.maps, tiles: arrangeMaps(row.maps.tiles, arrangement) },
    arrangement,
  };
}

function kernelTiles(
  shape: readonly number[],
  columnWidth: number,
  { density, ratio }: PixelScale,
): Pick<LayerRowLayout, 'kernels' | 'overview'> {
  const { filters, inputs, height, width } = kernelShape(shape);
  const column = Math.floor(columnWidth * ratio + 1e-6);
  const tallest = TALLEST_MATRIX * ratio;
  if (inputs === null) return matrixTiles(filters, width, { column, tallest, density, ratio });
  if (inputs === 1) {
    return { kernels: singleInputTiles(filters, height, width, column, ratio), overview: null };
  }
  const gap = devicePixels(1, ratio);
  for (let cell = devicePixels(density, ratio); cell >= 1; cell -= 1) {
    const filterWidth = inputs * (width * cell + gap);
    if (filterWidth - gap > column) continue;
    const across = inputs * Math.max(1, Math.floor((column + gap) / filterWidth));
    const kernels = tileGrid({
      count: filters * inputs,
      tileHeight: height,
      tileWidth: width,
      across,
      cell,
      gap,
    });
    return { kernels, overview: null };
  }
  return overviewTiles(filters, inputs * height * width, column, tallest, ratio);
}

/** One kernel a filter: few and large, in as many columns as make them largest without growing tall. */
function singleInputTiles(
  filters: number,
  height: number,
  width: number,
  column: number,
  ratio: number,
): Tiles {
  const gap = devicePixels(2, ratio);
  const tallest = column * 0.52;
  let best: { cell: number; across: number } = { cell: 1, across: filters };
  for (let across = 1; across <= filters; across += 1) {
    const cell = Math.floor((column - (across - 1) * gap) / (across * width));
    const rows = Math.ceil(filters / across);
    if (rows * (height * cell + gap) - gap > tallest || cell <= best.cell) continue;
    best = { cell, across };
  }
  // An even number of pixels keeps the picture's memory small: cell and gap then share a factor.
  return tileGrid({ count: filters, tileHeight: height, tileWidth: width, gap, ...best });
}

function matrixTiles(
  units: number,
  inputs: number,
  { column, tallest, density, ratio }: { column: number; tallest: number; density: number; ratio: number },
): Pick<LayerRowLayout, 'kernels' | 'overview'> {
  const gap = devicePixels(3, ratio);
  for (let cell = devicePixels(Math.max(3, density), ratio); cell >= 1; cell -= 1) {
    const bands = Math.ceil((inputs * cell) / column);
    // Folding a matrix costs the eye; only one that does not fit otherwise is folded.
    if ((bands > 1 && cell > devicePixels(1, ratio)) || bands * (units * cell + gap) - gap > tallest)
      continue;
    const kernels = bandGrid({ units, inputs, perBand: Math.ceil(inputs / bands), cell, gap });
    return { kernels, overview: null };
  }
  return overviewTiles(units, inputs, column, tallest, ratio);
}

/** Block means at one CSS pixel a block. The picture has one row a block of filters. */
function overviewTiles(
  rows: number,
  columns: number,
  column: number,
  tallest: number,
  ratio: number,
): Pick<LayerRowLayout, 'kernels' | 'overview'> {
  const cell = devicePixels(1, ratio);
  const blockRows = Math.ceil(rows / Math.floor(tallest / cell));
  const blockColumns = Math.ceil(columns / Math.floor(column / cell));
  const kernels = bandGrid({
    units: Math.ceil(rows / blockRows),
    inputs: Math.ceil(columns / blockColumns),
    perBand: Math.ceil(columns / blockColumns),
    cell,
    gap: 0,
  });
  return { kernels, overview: { rows: blockRows, columns: blockColumns } };
}

const MEAN_CAPTION = { output: 'last tile: mean map', error: 'last tile: mean error' };

function mapPicture(row: LayerRow, columnWidth: number, height: number, { ratio }: PixelScale): MapPicture {
  const column = Math.floor(columnWidth * ratio + 1e-6);
  const [count = 1, mapHeight, mapWidth] = row.layer.outputShape;
  if (mapHeight === undefined || mapWidth === undefined) return unitPicture(row, count, column, ratio);
  for (let cell = devicePixels(8, ratio); cell >= 1; cell -= 1) {
    const gap = devicePixels(cell >= 3 * ratio ? 3 : 1, ratio);
    const across = Math.floor((column + gap) / (mapWidth * cell + gap));
    if (across < 1) continue;
    const grid = { tileHeight: mapHeight, tileWidth: mapWidth, across, cell, gap };
    for (const withMean of [true, false]) {
      const tiles = tileGrid({ ...grid, count: count + (withMean ? 1 : 0) });
      const room = height - (withMean ? CAPTION_HEIGHT : 0);
      if (tiles.height * tiles.unit > room * ratio) continue;
      return { tiles, withMean, caption: withMean ? MEAN_CAPTION : null };
    }
  }
  // As many maps as there are, at one pixel a value, as tall as they come.
  const gap = devicePixels(1, ratio);
  const across = Math.max(1, Math.floor((column + gap) / (mapWidth + gap)));
  const tiles = tileGrid({ count, tileHeight: mapHeight, tileWidth: mapWidth, across, cell: 1, gap });
  return { tiles, withMean: false, caption: null };
}

/** Units as squares, ten in a row. */
function unitPicture(row: LayerRow, count: number, column: number, ratio: number): MapPicture {
  const gap = devicePixels(1, ratio);
  const across = Math.min(count, count <= 10 ? count : 10);
  const cell = Math.max(1, Math.min(Math.floor((column + gap) / 10) - gap, devicePixels(15, ratio)));
  const tiles = tileGrid({ count, tileHeight: 1, tileWidth: 1, across, cell, gap });
  const units = `${String(count)} units`;
  // Of softmax and cross-entropy together, for one example: dL/dz = softmax(z) - one-hot label.
  const ofLoss = row.loss === 'softmaxCrossEntropy' ? 'softmax \u2212 label' : 'what the loss sends';
  const caption =
    row.loss === null
      ? { output: units, error: units }
      : { output: `logits 0 to ${String(count - 1)}`, error: ofLoss };
  return { tiles, withMean: false, caption };
}

function betweenRow(row: BetweenRow, columns: ScopeColumns, scale: PixelScale): BetweenRowLayout {
  const strips = new Map<number, Strip>();
  for (const { spec, index, inputShape, outputShape } of row.layers) {
    // Flattened maps are still drawn as maps.
    const strip = stripOf(spec.kind === 'flatten' ? inputShape : outputShape, columns.maps, scale);
    if (strip !== null) strips.set(index, strip);
  }
  return { ...row, strips };
}

function stripOf(
  [count = 1, height, width]: readonly number[],
  columnWidth: number,
  { ratio }: PixelScale,
): Strip | null {
  const column = Math.floor(columnWidth * ratio + 1e-6);
  const tallest = (BETWEEN_HEIGHT - 4) * ratio;
  if (height === undefined || width === undefined) return unitStrip(count, column, tallest, ratio);
  for (let cell = Math.floor(tallest / height); cell >= 1; cell -= 1) {
    const gap = cell >= 2 * ratio ? devicePixels(1, ratio) : 0;
    const fits = Math.floor((column + gap) / (width * cell + gap));
    const shown = Math.min(count, fits);
    // Enough of them to be worth a look.
    if (shown < Math.min(count, 10)) continue;
    const tiles = tileGrid({ count: shown, tileHeight: height, tileWidth: width, across: shown, cell, gap });
    return { tiles, of: count };
  }
  return null;
}

/** All units in as few lines as leave each of them a square of its own. */
function unitStrip(count: number, column: number, tallest: number, ratio: number): Strip | null {
  const gap = devicePixels(1, ratio);
  const largest = devicePixels(8, ratio);
  for (let cell = largest; cell >= devicePixels(2, ratio); cell -= 1) {
    const across = Math.min(count, Math.floor((column + gap) / (cell + gap)));
    if (across < 1 || Math.ceil(count / across) * (cell + gap) - gap > tallest) continue;
    // Lines of equal length where they come out so.
    const lines = Math.ceil(count / across);
    const even = Math.ceil(count / lines);
    return {
      tiles: tileGrid({ count, tileHeight: 1, tileWidth: 1, across: even, cell, gap }),
      of: count,
    };
  }
  return null;
}
