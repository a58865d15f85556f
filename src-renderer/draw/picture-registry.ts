import type { DrawnPicture } from './picture';

/**
 * The pictures on the screen by tensor and kind (`conv2.weight`, `gradient`), for those who want to check what is really
 * drawn. Pictures enlist while they are mounted.
 *
 * What `read` returns has one pixel a value whatever the size on the screen, in the layout of the tensor:
 * - weight, gradient and update of a conv layer (out, in, height, width): `in` x width pixels wide, `out` x height high;
 *   value (o, i, y, x) is at pixel (i * width + x, o * height + y)
 * - of a dense layer (out, in): `in` wide, `out` high; value (o, i) is at pixel (i, o)
 * - digitOutput and digitError, inside a step output and error (channels, height, width): width wide, channels x height high; value (c, y, x) is at pixel
 *   (x, c * height + y). Of units (n): n wide, 1 high. digitSaliency, of a class or `said`, the same: width wide, height high
 */
export class PictureRegistry {
  private readonly readers = new Map<string, () => DrawnPicture | null>();

  /** Returns what takes it out again. */
  add(name: string, kind: string, read: () => DrawnPicture | null): () => void {
    const key = `${kind} ${name}`;
    this.readers.set(key, read);
    return () => {
      if (this.readers.get(key) === read) this.readers.delete(key);
    };
  }

  /** What the canvas shows now; null when no picture of it is on the screen. */
  read(name: string, kind: string): DrawnPicture | null {
    return this.readers.get(`${kind} ${name}`)?.() ?? null;
  }
}

/** The page has one screen. */
export const pictures = new PictureRegistry();
