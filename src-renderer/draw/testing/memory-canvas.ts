import type { PictureCanvas, PictureContext } from '../picture';

/** A canvas that holds its pixels in memory, for tests of what is really painted. */
export class MemoryCanvas implements PictureCanvas {
  width = 0;
  height = 0;
  /** Times that pixels were put. */
  puts = 0;
  private pixels = new Uint8ClampedArray(0);

  getContext(): PictureContext {
    return {
      createImageData: ((width: number, height: number) =>
        imageData(width, height)) as PictureContext['createImageData'],
      putImageData: (image: ImageData) => {
        this.puts += 1;
        this.pixels = image.data.slice();
      },
      getImageData: () => {
        const image = imageData(this.width, this.height);
        image.data.set(this.pixels);
        return image;
      },
    };
  }

  /** The pixel at a place, as one little-endian word. */
  pixelAt(x: number, y: number): number {
    return new Uint32Array(this.pixels.buffer)[y * this.width + x] ?? 0;
  }
}

const imageData = (width: number, height: number): ImageData => ({
  width,
  height,
  data: new Uint8ClampedArray(width * height * 4),
  colorSpace: 'srgb',
});
