import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { colourIndex, colourTable, NON_FINITE_INDEX, ZERO_INDEX } from '../scene/colour-table';
import { arrangeKernels } from '../scene/arrangement';
import { bandGrid, placeOf, tileGrid, type Tiles } from '../scene/tiles';
import { Picture } from './picture';
import { MemoryCanvas } from './testing/memory-canvas';

const table = colourTable('dark');
const GAP = 0xff123456;

const unsorted: fc.Arbitrary<Tiles> = fc.oneof(
  fc
    .record({
      count: fc.integer({ min: 1, max: 12 }),
      tileHeight: fc.integer({ min: 1, max: 5 }),
      tileWidth: fc.integer({ min: 1, max: 5 }),
      across: fc.integer({ min: 1, max: 6 }),
      cell: fc.integer({ min: 1, max: 6 }),
      gap: fc.integer({ min: 0, max: 3 }),
    })
    .map(tileGrid),
  fc
    .record({
      units: fc.integer({ min: 1, max: 8 }),
      inputs: fc.integer({ min: 1, max: 20 }),
      perBand: fc.integer({ min: 1, max: 20 }),
      cell: fc.integer({ min: 1, max: 4 }),
      gap: fc.integer({ min: 1, max: 3 }),
    })
    .map((grid) => bandGrid({ ...grid, perBand: Math.min(grid.perBand, grid.inputs) })),
);

const orderOf = (count: number): fc.Arbitrary<number[] | null> => {
  const inOrder = Array.from({ length: count }, (_, index) => index);
  return fc.option(fc.shuffledSubarray(inOrder, { minLength: count, maxLength: count }));
};

/** Half of them with their kernels, or their rows and columns, in another order. */
const grids: fc.Arbitrary<Tiles> = unsorted.chain((tiles) => {
  const { kernels, kernelSize } = tiles;
  const isKernel = (tiles.segments.rows[0] ?? 1) * (tiles.segments.columns[0] ?? 1) === kernelSize;
  const shape = { filters: kernels, inputs: isKernel ? 1 : null, height: 1, width: kernelSize };
  return fc
    .tuple(orderOf(kernels), isKernel ? fc.constant(null) : orderOf(kernelSize))
    .map(([filters, inputs]) => arrangeKernels(tiles, shape, { filters, inputs }));
});

/** A tensor for a geometry; NaN and infinities are as likely as not. */
const pictures = grids.chain((tiles) => {
  const length = tiles.kernels * tiles.kernelSize;
  return fc.record({
    tiles: fc.constant(tiles),
    values: fc.float32Array({ minLength: length, maxLength: length }),
    scales: fc.array(fc.constantFrom(0.01, 0.2, 5, 1000), {
      minLength: tiles.kernels,
      maxLength: tiles.kernels,
    }),
  });
});

describe('a picture', () => {
  test('is the tensor through the colour table: every pixel of every value, NaN included, and the gaps between', () => {
    fc.assert(
      fc.property(pictures, ({ tiles, values, scales }) => {
        const canvas = new MemoryCanvas();
        new Picture(canvas, tiles).paint({ values, scales: Float64Array.from(scales), table, gapPixel: GAP });
        const expected = new Map<string, number>();
        values.forEach((value, index) => {
          const place = placeOf(tiles, index);
          const scale = scales[Math.floor(index / tiles.kernelSize)] ?? 1;
          const colour = table.pixels[colourIndex(value, scale)] ?? 0;
          for (let dy = 0; dy < tiles.cell; dy += 1) {
            for (let dx = 0; dx < tiles.cell; dx += 1) {
              expected.set(`${String((place?.x ?? 0) + dx)} ${String((place?.y ?? 0) + dy)}`, colour);
            }
          }
        });
        for (let y = 0; y < canvas.height; y += 1) {
          for (let x = 0; x < canvas.width; x += 1) {
            const want = expected.get(`${String(x)} ${String(y)}`) ?? GAP;
            if (canvas.pixelAt(x, y) !== want) {
              expect.fail(
                `pixel ${String(x)}, ${String(y)}: ${canvas.pixelAt(x, y).toString(16)}, not ${want.toString(16)}`,
              );
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('reads back with one pixel a value in the layout of the tensor, whatever the layout of the screen', () => {
    const values = Float32Array.from({ length: 2 * 3 * 4 }, (_, index) => index / 24 - 0.5);
    // Two filters of three inputs, kernels of 2 x 2, drawn five across on the screen.
    const tiles = tileGrid({ count: 6, tileHeight: 2, tileWidth: 2, across: 5, cell: 3, gap: 1 });
    const picture = new Picture(new MemoryCanvas(), tiles);
    picture.paint({ values, scales: Float64Array.of(1), table, gapPixel: 0 });
    const { width, height, data, pixelsPerValue } = picture.read(3);
    expect([width, height, pixelsPerValue]).toEqual([6, 4, 3]);
    const pixels = new Uint32Array(data.buffer);
    for (const [o, i, y, x] of [
      [0, 0, 0, 0],
      [0, 2, 1, 0],
      [1, 0, 0, 1],
      [1, 2, 1, 1],
    ] as const) {
      const value = values[((o * 3 + i) * 2 + y) * 2 + x] ?? 0;
      expect(pixels[(o * 2 + y) * 6 + i * 2 + x]).toBe(table.pixels[colourIndex(value, 1)]);
    }
  });

  test('reads a sorted picture back in the order of the tensor', () => {
    const values = Float32Array.from({ length: 3 * 8 }, (_, index) => index / 24 - 0.5);
    const plain = bandGrid({ units: 3, inputs: 8, perBand: 4, cell: 2, gap: 1 });
    const shape = { filters: 3, inputs: null, height: 1, width: 8 };
    const order = { filters: [2, 0, 1], inputs: [7, 0, 6, 1, 5, 2, 4, 3] };
    const pixelsOf = (tiles: Tiles): Uint8ClampedArray => {
      const picture = new Picture(new MemoryCanvas(), tiles);
      picture.paint({ values, scales: Float64Array.of(1), table, gapPixel: 0 });
      return picture.read(1).data;
    };
    expect(pixelsOf(arrangeKernels(plain, shape, order))).toEqual(pixelsOf(plain));
  });

  test('reads a folded matrix back unfolded', () => {
    const values = Float32Array.from({ length: 3 * 8 }, (_, index) => index / 24);
    const picture = new Picture(
      new MemoryCanvas(),
      bandGrid({ units: 3, inputs: 8, perBand: 3, cell: 1, gap: 2 }),
    );
    picture.paint({ values, scales: Float64Array.of(1), table, gapPixel: 0 });
    const { width, height, data } = picture.read(1);
    expect([width, height]).toEqual([8, 3]);
    expect([...new Uint32Array(data.buffer)]).toEqual(
      [...values].map((value) => table.pixels[colourIndex(value, 1)]),
    );
  });

  test('without values is zero everywhere: never the last picture', () => {
    const tiles = tileGrid({ count: 4, tileHeight: 2, tileWidth: 2, across: 2, cell: 2, gap: 1 });
    const canvas = new MemoryCanvas();
    const picture = new Picture(canvas, tiles);
    const content = { scales: Float64Array.of(1), table, gapPixel: 0 };
    picture.paint({ ...content, values: new Float32Array(16).fill(NaN) });
    expect(canvas.pixelAt(0, 0)).toBe(table.pixels[NON_FINITE_INDEX]);
    picture.paint({ ...content, values: null });
    expect([...new Uint32Array(picture.read(2).data.buffer)]).toEqual(
      new Array<number>(16).fill(table.pixels[ZERO_INDEX] ?? 0),
    );
  });

  test('that is what it was is not written again, and one that changes back is', () => {
    const tiles = tileGrid({ count: 2, tileHeight: 1, tileWidth: 1, across: 2, cell: 1, gap: 1 });
    const canvas = new MemoryCanvas();
    const picture = new Picture(canvas, tiles);
    const putsOf = (...values: number[]): number => {
      picture.paint({ values: Float32Array.from(values), scales: Float64Array.of(1), table, gapPixel: GAP });
      return canvas.puts;
    };
    // A change too small for another colour is none on the screen.
    expect([putsOf(0, 1), putsOf(0, 1), putsOf(0, 2), putsOf(1, 1), putsOf(0, 1)]).toEqual([1, 1, 1, 2, 3]);
    expect(canvas.pixelAt(0, 0)).toBe(table.pixels[ZERO_INDEX]);
  });

  test('follows a change of theme down to the gaps', () => {
    const tiles = tileGrid({ count: 2, tileHeight: 1, tileWidth: 1, across: 2, cell: 1, gap: 1 });
    const canvas = new MemoryCanvas();
    const picture = new Picture(canvas, tiles);
    const values = Float32Array.of(0, 1);
    picture.paint({ values, scales: Float64Array.of(1), table, gapPixel: 1 });
    const light = colourTable('light');
    picture.paint({ values, scales: Float64Array.of(1), table: light, gapPixel: 2 });
    expect([0, 1, 2].map((x) => canvas.pixelAt(x, 0))).toEqual([
      light.pixels[ZERO_INDEX],
      2,
      light.pixels[254],
    ]);
  });
});
