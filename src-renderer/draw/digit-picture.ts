import type { Theme } from '../scene/colour-table';
import type { PictureCanvas } from './picture';

/**
 * Paints a digit's bytes (0: paper) on a canvas of one pixel a byte: light strokes on the dark theme, dark ones on the
 * light, a little away from the ends so that it does not outshine the pictures.
 */
export function paintDigit(
  canvas: PictureCanvas,
  pixels: Uint8Array,
  { width, height, theme }: { width: number; height: number; theme: Theme },
): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser has no 2D canvas.');
  const image = context.createImageData(width, height);
  for (let index = 0; index < width * height; index += 1) {
    const ink = pixels[index] ?? 0;
    const grey = theme === 'dark' ? 18 + ink * 0.92 : 255 - ink * 0.94;
    image.data.set([grey, grey, grey, 255], index * 4);
  }
  context.putImageData(image, 0, 0);
}
