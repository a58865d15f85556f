/** A greyscale drawing: row-major bytes, 0 paper to 255 ink. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly pixels: ArrayLike<number>;
}

/** Width and height of an MNIST image. */
export const MNIST_SIDE = 28;
/** Width and height of the box that a digit is fitted into before it is centred. */
export const BOX_SIDE = 20;
/** Row and column of the pixel in which the centre of mass of every MNIST image lies: of 28 the 15th, counted from 0. */
export const CENTRE = 14;

/**
 * Prepares a drawing as the digits of MNIST were prepared. LeCun's page "The MNIST database of handwritten digits" says
 * how: the images "were size normalized to fit in a 20x20 pixel box while preserving their aspect ratio", with "grey levels
 * as a result of the anti-aliasing technique used by the normalization algorithm", and then "centered in a 28x28 image by
 * computing the center of mass of the pixels, and translating the image so as to position this point at the center".
 * The translation is by whole pixels, so that the grey levels stay what they are.
 * @returns 28 x 28 bytes, row-major, ink 255; null for a drawing on which there is nothing
 */
export function prepareDigit(drawing: Drawing): Uint8Array<ArrayBuffer> | null {
  const box = fitIntoBox(drawing);
  return box === null ? null : centre(box);
}

/**
 * The inked part of a drawing at the size at which its longer side is 20 pixels; each pixel is the mean of the area that
 * it covers. The shorter side is as long as the aspect asks for, to fractions of a pixel, in the middle of whole ones.
 * @returns null for a drawing on which there is nothing
 */
export function fitIntoBox(drawing: Drawing): Drawing | null {
  const ink = inkedPart(drawing);
  if (ink === null) return null;
  const scale = BOX_SIDE / Math.max(ink.width, ink.height);
  const across = coverage(ink.width, scale);
  const down = coverage(ink.height, scale);
  const narrowed = new Float64Array(ink.height * across.length);
  for (let y = 0; y < ink.height; y += 1) {
    const from = (ink.top + y) * drawing.width + ink.left;
    across.forEach(({ first, shares }, x) => {
      let sum = 0;
      for (let k = 0; k < shares.length; k += 1) sum += shares[k]! * drawing.pixels[from + first + k]!;
      narrowed[y * across.length + x] = sum;
    });
  }
  const pixels = new Uint8Array(down.length * across.length);
  down.forEach(({ first, shares }, y) => {
    for (let x = 0; x < across.length; x += 1) {
      let sum = 0;
      for (let k = 0; k < shares.length; k += 1)
        sum += shares[k]! * narrowed[(first + k) * across.length + x]!;
      pixels[y * across.length + x] = Math.round(sum);
    }
  });
  return pixels.some((byte) => byte > 0) ? { width: across.length, height: down.length, pixels } : null;
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function inkedPart({ width, height, pixels }: Drawing): Part | null {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (pixels[y * width + x] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The source pixels under one pixel of the result, and the share of its length that each of them covers. */
interface Cover {
  readonly first: number;
  readonly shares: readonly number[];
}

/** For each pixel of a side that is `length` long before it is scaled. */
function coverage(length: number, scale: number): Cover[] {
  const scaled = length * scale;
  // 20 is never to become 21 by rounding.
  const count = Math.ceil(scaled - 1e-9);
  const margin = (count - scaled) / 2;
  return Array.from({ length: count }, (_, pixel) => {
    const from = Math.max(0, (pixel - margin) / scale);
    const to = Math.min(length, (pixel + 1 - margin) / scale);
    const first = Math.min(Math.floor(from), length - 1);
    const last = Math.max(first + 1, Math.min(length, Math.ceil(to)));
    const shares = Array.from(
      { length: last - first },
      (_, k) => Math.max(0, Math.min(to, first + k + 1) - Math.max(from, first + k)) * scale,
    );
    return { first, shares };
  });
}

function centre({ width, height, pixels }: Drawing): Uint8Array<ArrayBuffer> {
  let [mass, momentX, momentY] = [0, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const byte = pixels[y * width + x]!;
      mass += byte;
      momentX += byte * (x + 0.5);
      momentY += byte * (y + 0.5);
    }
  }
  const place = (moment: number, size: number): number =>
    Math.max(0, Math.min(MNIST_SIDE - size, CENTRE - Math.floor(moment / mass)));
  const [left, top] = [place(momentX, width), place(momentY, height)];
  const image = new Uint8Array(MNIST_SIDE * MNIST_SIDE);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      image[(top + y) * MNIST_SIDE + left + x] = pixels[y * width + x]!;
    }
  }
  return image;
}
