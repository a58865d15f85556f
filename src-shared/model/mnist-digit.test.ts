import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOX_SIDE, CENTRE, type Drawing, fitIntoBox, MNIST_SIDE, prepareDigit } from './mnist-digit';

/** Some thick horizontal and vertical bars, each of full ink. */
const drawings: fc.Arbitrary<Drawing> = fc
  .record({
    width: fc.integer({ min: 8, max: 90 }),
    height: fc.integer({ min: 8, max: 90 }),
    bars: fc.array(fc.tuple(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.nat(), fc.boolean()), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ width, height, bars }) => {
    const pixels = new Uint8Array(width * height);
    for (const [at, length, upright] of bars) {
      const [x0, y0] = [Math.floor(at * width), Math.floor(at * height)];
      const [w, h] = upright ? [2, 1 + (length % (height - y0))] : [1 + (length % (width - x0)), 2];
      for (let y = y0; y < Math.min(height, y0 + h); y += 1) {
        for (let x = x0; x < Math.min(width, x0 + w); x += 1) pixels[y * width + x] = 255;
      }
    }
    return { width, height, pixels };
  });

function bounds({ width, height, pixels }: Drawing): { w: number; h: number; x: number; y: number } {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let at = 0; at < width * height; at += 1) {
    if (pixels[at] === 0) continue;
    xs.push(at % width);
    ys.push(Math.floor(at / width));
  }
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x + 1, h: Math.max(...ys) - y + 1 };
}

function centreOfMass(image: ArrayLike<number>, width: number): [number, number] {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let at = 0; at < image.length; at += 1) {
    mass += image[at]!;
    sumX += image[at]! * ((at % width) + 0.5);
    sumY += image[at]! * (Math.floor(at / width) + 0.5);
  }
  return [sumX / mass, sumY / mass];
}

const asDrawing = (pixels: Uint8Array): Drawing => ({ width: MNIST_SIDE, height: MNIST_SIDE, pixels });

function prepared(drawing: Drawing): Uint8Array {
  const image = prepareDigit(drawing);
  if (image === null) throw new Error('there is ink on it');
  return image;
}

/** `drawing` on a larger sheet, `dx` and `dy` further from its corner. */
function moved({ width, height, pixels }: Drawing, dx: number, dy: number): Drawing {
  const [w, h] = [width + dx + 3, height + dy + 5];
  const sheet = new Uint8Array(w * h);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) sheet[(y + dy) * w + x + dx] = pixels[y * width + x]!;
  }
  return { width: w, height: h, pixels: sheet };
}

/** Each pixel as `by` x `by`. */
function enlarged({ width, height, pixels }: Drawing, by: number): Drawing {
  const large = new Uint8Array(width * height * by * by);
  for (let at = 0; at < large.length; at += 1) {
    const [x, y] = [at % (width * by), Math.floor(at / (width * by))];
    large[at] = pixels[Math.floor(y / by) * width + Math.floor(x / by)]!;
  }
  return { width: width * by, height: height * by, pixels: large };
}

describe('a drawing made ready as MNIST was', () => {
  test('fits the box of 20 x 20, touches it, and keeps its aspect', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const box = fitIntoBox(drawing);
        const { w, h } = bounds(drawing);
        expect(box).not.toBeNull();
        const [width, height] = [box?.width ?? 0, box?.height ?? 0];
        expect(Math.max(width, height)).toBe(BOX_SIDE);
        const scale = BOX_SIDE / Math.max(w, h);
        // Catches: stretching to 20 x 20, which makes a 1 a block. An edge is anti-aliased, so it may take part of a pixel.
        expect(width).toBe(Math.ceil(w * scale - 1e-9));
        expect(height).toBe(Math.ceil(h * scale - 1e-9));
      }),
    );
  });

  test('covers as much as the drawing does, scaled', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const { w, h } = bounds(drawing);
        const scale = BOX_SIDE / Math.max(w, h);
        const sum = (pixels: ArrayLike<number>): number => Array.from(pixels).reduce((a, b) => a + b, 0);
        // Catches: sampling where areas have to be averaged. Each of the 400 bytes may be rounded by half.
        const error = sum(fitIntoBox(drawing)?.pixels ?? []) - sum(drawing.pixels) * scale * scale;
        expect(Math.abs(error)).toBeLessThanOrEqual(200);
      }),
    );
  });

  test('has its centre of mass within half a pixel of the middle of pixel 14, 14, whenever the box leaves room', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const image = prepared(drawing);
        const box = fitIntoBox(drawing);
        if (box === null) throw new Error('there is ink on it');
        const inBox = centreOfMass(box.pixels, box.width);
        const inImage = centreOfMass(image, MNIST_SIDE);
        [box.width, box.height].forEach((side, axis) => {
          const wanted = CENTRE + 0.5 - inBox[axis]!;
          const hasRoom = wanted >= 0 && wanted <= MNIST_SIDE - side;
          // Without room the box stands at the edge, nowhere else, and nothing of it is lost.
          const place = hasRoom ? wanted : wanted < 0 ? 0 : MNIST_SIDE - side;
          expect(Math.abs(inImage[axis]! - inBox[axis]! - place)).toBeLessThanOrEqual(0.5 + 1e-9);
        });
      }),
    );
  });

  test('is the same wherever on the sheet it was drawn', () => {
    fc.assert(
      fc.property(drawings, fc.nat(60), fc.nat(60), (drawing, dx, dy) => {
        expect(prepared(moved(drawing, dx, dy))).toEqual(prepared(drawing));
      }),
    );
  });

  test('is the same at any size', () => {
    fc.assert(
      fc.property(drawings, fc.integer({ min: 2, max: 4 }), (drawing, by) => {
        // The box, not what is centred: a centre of mass on the border of two pixels falls to either for a rounded byte.
        const [small, large] = [fitIntoBox(drawing), fitIntoBox(enlarged(drawing, by))];
        if (small === null || large === null) throw new Error('there is ink on it');
        expect([large.width, large.height]).toEqual([small.width, small.height]);
        // A sum in another order may be rounded to the next byte.
        const distances = Array.from(small.pixels, (byte, at) => Math.abs(byte - large.pixels[at]!));
        expect(Math.max(...distances)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });

  test('gives back what is ready already', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const once = prepared(drawing);
        const { w, h } = bounds(asDrawing(once));
        // The faintest edge of a fractional side may have been rounded away.
        fc.pre(Math.max(w, h) === BOX_SIDE);
        expect(prepared(asDrawing(once))).toEqual(once);
      }),
    );
  });

  test('is nothing when nothing was drawn', () => {
    expect(prepareDigit({ width: 280, height: 280, pixels: new Uint8Array(280 * 280) })).toBeNull();
    expect(prepareDigit({ width: 0, height: 0, pixels: new Uint8Array(0) })).toBeNull();
  });

  test('a dot fills the box, as it did in MNIST, and a stroke stays a stroke', () => {
    const dot = new Uint8Array(100);
    dot[44] = 255;
    expect(prepared({ width: 10, height: 10, pixels: dot }).filter((byte) => byte === 255)).toHaveLength(400);
    const stroke = new Uint8Array(100 * 100);
    for (let y = 10; y < 90; y += 1) stroke.fill(255, y * 100 + 50, y * 100 + 58);
    const { w, h } = bounds(asDrawing(prepared({ width: 100, height: 100, pixels: stroke })));
    expect([w, h]).toEqual([2, 20]);
  });
});
