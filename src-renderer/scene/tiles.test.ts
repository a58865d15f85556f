import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bandGrid, hitTest, placeOf, rectsOf, tileGrid, type Tiles } from './tiles';

const grids: fc.Arbitrary<Tiles> = fc.oneof(
  fc
    .record({
      count: fc.integer({ min: 1, max: 30 }),
      tileHeight: fc.integer({ min: 1, max: 6 }),
      tileWidth: fc.integer({ min: 1, max: 6 }),
      across: fc.integer({ min: 1, max: 12 }),
      cell: fc.integer({ min: 1, max: 7 }),
      gap: fc.integer({ min: 0, max: 4 }),
    })
    .map(tileGrid),
  fc
    .record({
      units: fc.integer({ min: 1, max: 12 }),
      inputs: fc.integer({ min: 1, max: 40 }),
      perBand: fc.integer({ min: 1, max: 40 }),
      cell: fc.integer({ min: 1, max: 5 }),
      gap: fc.integer({ min: 1, max: 4 }),
    })
    .map((grid) => bandGrid({ ...grid, perBand: Math.min(grid.perBand, grid.inputs) })),
);

describe('the geometry of a picture', () => {
  test('every value has a square of its own, inside the picture, and no two overlap', () => {
    fc.assert(
      fc.property(grids, (tiles) => {
        const taken = new Set<string>();
        for (let index = 0; index < tiles.kernels * tiles.kernelSize; index += 1) {
          const place = placeOf(tiles, index);
          expect(place).not.toBeNull();
          if (place === null) continue;
          expect(Number.isInteger(place.x) && Number.isInteger(place.y)).toBe(true);
          expect(place.x + tiles.cell).toBeLessThanOrEqual(tiles.width);
          expect(place.y + tiles.cell).toBeLessThanOrEqual(tiles.height);
          for (let dy = 0; dy < tiles.cell; dy += 1) {
            for (let dx = 0; dx < tiles.cell; dx += 1) {
              const key = `${String(place.x + dx)} ${String(place.y + dy)}`;
              expect(taken.has(key)).toBe(false);
              taken.add(key);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('hit testing finds again what is drawn: it is the inverse of placing', () => {
    fc.assert(
      fc.property(grids, fc.double({ min: 0, max: 0.999, noNaN: true }), (tiles, share) => {
        for (let index = 0; index < tiles.kernels * tiles.kernelSize; index += 1) {
          const place = placeOf(tiles, index);
          if (place === null) throw new Error('no place');
          const hit = hitTest(tiles, place.x + share * tiles.cell, place.y + share * tiles.cell);
          expect(hit).toEqual({ kernel: Math.floor(index / tiles.kernelSize), index });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a kernel takes up exactly the rectangles of its values', () => {
    fc.assert(
      fc.property(grids, (tiles) => {
        for (let kernel = 0; kernel < tiles.kernels; kernel += 1) {
          const area = rectsOf(tiles, kernel).reduce((sum, { width, height }) => sum + width * height, 0);
          expect(area).toBe(tiles.kernelSize * tiles.cell ** 2);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('lines lists every canvas line on which values begin, in order', () => {
    fc.assert(
      fc.property(grids, (tiles) => {
        const lines = new Set<number>();
        for (let index = 0; index < tiles.kernels * tiles.kernelSize; index += 1) {
          lines.add(placeOf(tiles, index)?.y ?? -1);
        }
        expect([...tiles.lines]).toEqual([...lines].sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the pictures of the paper', () => {
  test('conv2 is 159 x 319 at 3 pixels a weight with a pitch of 16', () => {
    const tiles = tileGrid({ count: 200, tileHeight: 5, tileWidth: 5, across: 10, cell: 3, gap: 1 });
    expect([tiles.width, tiles.height, tiles.unit]).toEqual([159, 319, 1]);
    expect(rectsOf(tiles, 37)).toEqual([{ x: 7 * 16, y: 3 * 16, width: 15, height: 15 }]);
  });

  test('fc1 is folded into two bands of 160 inputs', () => {
    const tiles = bandGrid({ units: 50, inputs: 320, perBand: 160, cell: 1, gap: 3 });
    expect([tiles.width, tiles.height]).toEqual([160, 103]);
    expect(placeOf(tiles, 12 * 320 + 160)).toEqual({ x: 0, y: 53 + 12 });
    expect(hitTest(tiles, 0.5, 51)).toBeNull();
  });

  test('a canvas pixel is as large as whole cells and gaps allow: fc2 needs one a value', () => {
    const tiles = bandGrid({ units: 10, inputs: 50, perBand: 50, cell: 3, gap: 3 });
    expect([tiles.width, tiles.height, tiles.unit, tiles.cell]).toEqual([50, 10, 3, 1]);
  });

  test('the gap after a tile belongs to it, so that no press between kernels is lost', () => {
    const tiles = tileGrid({ count: 4, tileHeight: 1, tileWidth: 1, across: 2, cell: 3, gap: 1 });
    expect(hitTest(tiles, 3.5, 0)).toEqual({ kernel: 0, index: 0 });
    expect(hitTest(tiles, 4, 0)).toEqual({ kernel: 1, index: 1 });
    expect(hitTest(tiles, -1, 0)).toBeNull();
  });
});
