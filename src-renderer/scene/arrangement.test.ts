import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrangeKernels, arrangeMaps, kernelAt, placeOfKernel, type Arrangement } from './arrangement';
import type { KernelShape } from './network-rows';
import { bandGrid, hitTest, indexAt, placeOf, rectsOf, tileGrid, type Tiles } from './tiles';

interface Sorted {
  readonly shape: KernelShape;
  readonly plain: Tiles;
  readonly arrangement: Arrangement;
  readonly tiles: Tiles;
}

const permutation = (count: number): fc.Arbitrary<number[] | null> => {
  const inOrder = Array.from({ length: count }, (_, index) => index);
  return fc.option(fc.shuffledSubarray(inOrder, { minLength: count, maxLength: count }));
};

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const conv: fc.Arbitrary<Sorted> = fc
  .tuple(size(8), size(5), size(3), size(3), size(2), size(3), size(2))
  .chain(([filters, inputs, height, width, sideBySide, cell, gap]) => {
    const shape = { filters, inputs, height, width };
    const across = inputs * sideBySide;
    const plain = tileGrid({
      count: filters * inputs,
      tileHeight: height,
      tileWidth: width,
      across,
      cell,
      gap,
    });
    return fc.tuple(permutation(filters), permutation(inputs)).map(([rows, columns]) => {
      const arrangement = { filters: rows, inputs: columns };
      return { shape, plain, arrangement, tiles: arrangeKernels(plain, shape, arrangement) };
    });
  });

const dense: fc.Arbitrary<Sorted> = fc
  .tuple(size(8), size(30), size(30), size(3), size(3))
  .chain(([units, inputs, perBand, cell, gap]) => {
    const shape = { filters: units, inputs: null, height: 1, width: inputs };
    const plain = bandGrid({ units, inputs, perBand: Math.min(perBand, inputs), cell, gap });
    return fc.tuple(permutation(units), permutation(inputs)).map(([rows, columns]) => {
      const arrangement = { filters: rows, inputs: columns };
      return { shape, plain, arrangement, tiles: arrangeKernels(plain, shape, arrangement) };
    });
  });

const sorted = fc.oneof(conv, dense);
const valuesOf = ({ kernels, kernelSize }: Tiles): number => kernels * kernelSize;

describe('a sorted picture', () => {
  test('is a bijection: every value of the tensor is in it once', () => {
    fc.assert(
      fc.property(sorted, ({ tiles }) => {
        const seen = new Set<number>();
        for (let at = 0; at < tiles.segments.count; at += 1) {
          const values = (tiles.segments.rows[at] ?? 0) * (tiles.segments.columns[at] ?? 0);
          for (let inside = 0; inside < values; inside += 1) seen.add(indexAt(tiles, at, inside));
        }
        expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: valuesOf(tiles) }, (_, i) => i));
      }),
      { numRuns: 80 },
    );
  });

  test('is hit where it is drawn: hit testing inverts placing', () => {
    fc.assert(
      fc.property(sorted, fc.double({ min: 0, max: 0.999, noNaN: true }), ({ tiles }, share) => {
        for (let index = 0; index < valuesOf(tiles); index += 1) {
          const place = placeOf(tiles, index);
          if (place === null) throw new Error('no place');
          const hit = hitTest(tiles, place.x + share * tiles.cell, place.y + share * tiles.cell);
          expect(hit).toEqual({ kernel: Math.floor(index / tiles.kernelSize), index });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('has at each place what the order says: row of the filter, column of the input', () => {
    fc.assert(
      fc.property(sorted, ({ shape, plain, arrangement, tiles }) => {
        const channels = shape.inputs ?? shape.width;
        const kernel = shape.inputs === null ? 1 : shape.height * shape.width;
        for (let index = 0; index < valuesOf(plain); index += 1) {
          const row = Math.floor(index / (channels * kernel));
          const column = Math.floor(index / kernel) % channels;
          const filter = arrangement.filters?.[row] ?? row;
          const input = arrangement.inputs?.[column] ?? column;
          const shown = (filter * channels + input) * kernel + (index % kernel);
          expect(placeOf(tiles, shown)).toEqual(placeOf(plain, index));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('keeps geometry: kernels take up the same rectangles, only others', () => {
    fc.assert(
      fc.property(sorted, ({ plain, tiles }) => {
        for (let place = 0; place < tiles.kernels; place += 1) {
          const kernel = kernelAt(tiles, place);
          expect(placeOfKernel(tiles, kernel)).toBe(place);
          expect(rectsOf(tiles, kernel)).toEqual(rectsOf(plain, place));
        }
        expect([tiles.width, tiles.height, tiles.lines]).toEqual([plain.width, plain.height, plain.lines]);
      }),
      { numRuns: 60 },
    );
  });

  test('maps follow their filters, and the mean stays the last tile', () => {
    const plain = tileGrid({ count: 4, tileHeight: 2, tileWidth: 2, across: 2, cell: 1, gap: 1 });
    const tiles = arrangeMaps(plain, { filters: [2, 0, 1], inputs: null });
    expect(rectsOf(tiles, 2)).toEqual(rectsOf(plain, 0));
    expect(rectsOf(tiles, 3), 'the mean').toEqual(rectsOf(plain, 3));
  });
});
