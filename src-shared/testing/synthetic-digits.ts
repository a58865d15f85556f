/** A pure function of its arguments, uniform in [0, 1): synthetic runs need the same numbers every time. */
export function hashUnit(a: number, b = 0, c = 0): number {
  let h = (a ^ 0x9e3779b9) >>> 0;
  for (const word of [b, c]) {
    h = Math.imul(h ^ (word + 0x7f4a7c15), 0x85ebca6b);
    h ^= h >>> 13;
  }
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 0) / 2 ** 32;
}

/** The pen strokes of each digit in a unit square, y downwards. */
const STROKES: readonly (readonly (readonly [number, number])[])[] = [
  [
    [0.5, 0.05],
    [0.2, 0.3],
    [0.2, 0.7],
    [0.5, 0.95],
    [0.8, 0.7],
    [0.8, 0.3],
    [0.5, 0.05],
  ],
  [
    [0.3, 0.25],
    [0.55, 0.05],
    [0.5, 0.95],
  ],
  [
    [0.2, 0.25],
    [0.45, 0.05],
    [0.75, 0.22],
    [0.6, 0.5],
    [0.2, 0.92],
    [0.85, 0.9],
  ],
  [
    [0.2, 0.12],
    [0.6, 0.05],
    [0.75, 0.25],
    [0.45, 0.47],
    [0.8, 0.68],
    [0.6, 0.93],
    [0.2, 0.88],
  ],
  [
    [0.7, 0.95],
    [0.65, 0.05],
    [0.18, 0.62],
    [0.88, 0.6],
  ],
  [
    [0.8, 0.06],
    [0.3, 0.08],
    [0.25, 0.45],
    [0.65, 0.42],
    [0.8, 0.68],
    [0.55, 0.94],
    [0.2, 0.86],
  ],
  [
    [0.7, 0.05],
    [0.3, 0.4],
    [0.22, 0.75],
    [0.5, 0.95],
    [0.78, 0.75],
    [0.6, 0.52],
    [0.26, 0.66],
  ],
  [
    [0.18, 0.1],
    [0.82, 0.07],
    [0.55, 0.5],
    [0.42, 0.95],
  ],
  [
    [0.5, 0.47],
    [0.25, 0.25],
    [0.5, 0.05],
    [0.75, 0.25],
    [0.5, 0.47],
    [0.22, 0.72],
    [0.5, 0.95],
    [0.78, 0.72],
    [0.5, 0.47],
  ],
  [
    [0.72, 0.35],
    [0.45, 0.5],
    [0.25, 0.27],
    [0.5, 0.06],
    [0.74, 0.3],
    [0.6, 0.95],
  ],
];

const SIZE = 28;

export interface SyntheticDigit {
  readonly label: number;
  /** 28 x 28 bytes, row-major. */
  readonly pixels: Uint8Array;
}

/** Something that looks like a handwritten digit; `purpose` tells training images from test images. */
export function syntheticDigit(index: number, purpose: number): SyntheticDigit {
  const label = Math.floor(hashUnit(index, purpose, 1) * 10);
  const lean = (hashUnit(index, purpose, 2) - 0.5) * 0.5;
  const scale = 17 + hashUnit(index, purpose, 3) * 3;
  const thickness = 1 + hashUnit(index, purpose, 4) * 0.7;
  const points = (STROKES[label] ?? []).map(([x, y], corner) => {
    const jitter = (axis: number): number => (hashUnit(index * 31 + corner, purpose, axis) - 0.5) * 0.1;
    const px = x - 0.5 + lean * (0.5 - y) + jitter(5);
    return [14 + px * scale * 0.85, 14 + (y - 0.5 + jitter(6)) * scale] as const;
  });
  const pixels = new Uint8Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      let nearest = Infinity;
      for (let k = 1; k < points.length; k += 1) {
        const from = points[k - 1];
        const to = points[k];
        if (from !== undefined && to !== undefined) nearest = Math.min(nearest, distance(x, y, from, to));
      }
      pixels[y * SIZE + x] = Math.round(255 * Math.min(1, Math.max(0, thickness + 0.6 - nearest)));
    }
  }
  return { label, pixels };
}

type Point = readonly [number, number];

function distance(x: number, y: number, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
