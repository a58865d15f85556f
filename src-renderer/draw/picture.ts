import type { ColourTable } from '../scene/colour-table';
import { placeOf, type Tiles } from '../scene/tiles';
import { paintTiles, paintZero, type Raster } from './paint-tiles';

/** The part of a canvas that a picture uses. */
export interface PictureCanvas {
  width: number;
  height: number;
  getContext(kind: '2d', options: { willReadFrequently: boolean }): PictureContext | null;
}
export type PictureContext = Pick<
  CanvasRenderingContext2D,
  'createImageData' | 'putImageData' | 'getImageData'
>;

export interface PictureContent {
  /** null: zero everywhere, the ground of what was cleared or not computed yet. */
  readonly values: Float32Array | null;
  /** End of the scale of each kernel, or one for all. */
  readonly scales: Float64Array;
  readonly table: ColourTable;
  /** Pixel between the tiles; 0 leaves it open to what is behind. */
  readonly gapPixel: number;
}

/** What is on a canvas, one pixel a value. */
export interface DrawnPicture {
  readonly width: number;
  readonly height: number;
  /** Canvas pixels a value, each way, before they were brought down to one. */
  readonly pixelsPerValue: number;
  /** R, G, B, A; row by row. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * A tensor on a canvas of its own. The canvas has as few pixels as whole cells and gaps allow; the style sheet scales
 * it up by a whole number of device pixels, without smoothing.
 */
export class Picture {
  private readonly context: PictureContext;
  private readonly image: ImageData;
  private readonly raster: Raster;
  /** What the canvas shows; a new one is transparent. */
  private readonly shown: Uint32Array;
  private readonly tiles: Tiles;
  private gapPixel: number | null = null;

  constructor(canvas: PictureCanvas, tiles: Tiles) {
    canvas.width = tiles.width;
    canvas.height = tiles.height;
    // Pixels are written and read here and nowhere drawn, so they are best kept in ordinary memory.
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('This browser has no 2D canvas.');
    this.context = context;
    this.tiles = tiles;
    this.image = context.createImageData(tiles.width, tiles.height);
    this.raster = { pixels: new Uint32Array(this.image.data.buffer), width: tiles.width };
    this.shown = new Uint32Array(this.raster.pixels.length);
  }

  paint({ values, scales, table, gapPixel }: PictureContent): void {
    if (gapPixel !== this.gapPixel) {
      this.raster.pixels.fill(gapPixel);
      this.gapPixel = gapPixel;
    }
    if (values === null) paintZero(this.raster, this.tiles, table.pixels);
    else paintTiles(this.raster, this.tiles, values, scales, table.pixels);
    this.show();
  }

  /**
   * A canvas that is written to is copied and composited anew, which costs far more than the painting. Many pictures are what
   * they were: the digit's maps come several times slower than weights.
   */
  private show(): void {
    const { pixels } = this.raster;
    if (isSame(pixels, this.shown)) return;
    this.shown.set(pixels);
    this.context.putImageData(this.image, 0, 0);
  }

  /**
   * Reads back what the canvas shows now, one pixel a value, laid out as the tensor is and not as the screen is:
   * `across` kernels side by side, each as many pixels wide and high as it has values.
   */
  read(across: number): DrawnPicture {
    const { tiles } = this;
    const seen = this.context.getImageData(0, 0, tiles.width, tiles.height).data;
    const { segments } = tiles;
    const kernelWidth = tiles.kernelSize / (segmentIsKernel(tiles) ? (segments.rows[0] ?? 1) : 1);
    const kernelHeight = tiles.kernelSize / kernelWidth;
    const width = across * kernelWidth;
    const height = Math.ceil(tiles.kernels / across) * kernelHeight;
    const data = new Uint8ClampedArray(width * height * 4);
    for (let index = 0; index < tiles.kernels * tiles.kernelSize; index += 1) {
      const place = placeOf(tiles, index);
      if (place === null) continue;
      const kernel = Math.floor(index / tiles.kernelSize);
      const inside = index % tiles.kernelSize;
      const x = (kernel % across) * kernelWidth + (inside % kernelWidth);
      const y = Math.floor(kernel / across) * kernelHeight + Math.floor(inside / kernelWidth);
      const from = (place.y * tiles.width + place.x) * 4;
      data.set(seen.subarray(from, from + 4), (y * width + x) * 4);
    }
    return { width, height, pixelsPerValue: tiles.cell, data };
  }
}

function isSame(one: Uint32Array, other: Uint32Array): boolean {
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

/** Whether each segment is a whole kernel, not one band of a unit. */
const segmentIsKernel = ({ segments, kernelSize }: Tiles): boolean =>
  (segments.rows[0] ?? 1) * (segments.columns[0] ?? 1) === kernelSize;
