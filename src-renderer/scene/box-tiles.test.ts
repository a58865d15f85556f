import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxTiles } from './box-tiles';

// Catches: a picture that runs out of its box, or leaves room in it for another pixel a value.
test('tiles fit into their box whenever a pixel a value does, with as many pixels as can be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(1, 1.25, 1.5, 2, 3),
      (count, height, width, ratio) => {
        const tiles = boxTiles({ count, height, width }, 72, ratio);
        const room = Math.floor(72 * ratio + 1e-6);
        expect(tiles.kernels).toBe(count);
        expect(tiles.kernelSize).toBe(height * width);
        const side = Math.max(tiles.width, tiles.height) * tiles.unit;
        if (tiles.cell * tiles.unit > 1) expect(side).toBeLessThanOrEqual(room);
        if (count === 1) expect(side + Math.max(height, width)).toBeGreaterThan(room);
      },
    ),
  );
});

test('what the network of the paper shows is square and of whole pixels', () => {
  const cell = (count: number, height: number, width: number): number => {
    const tiles = boxTiles({ count, height, width }, 72, 1);
    return tiles.cell * tiles.unit;
  };
  expect([cell(1, 8, 8), cell(1, 12, 12), cell(1, 24, 24), cell(1, 28, 28)]).toEqual([9, 6, 3, 2]);
  // 20 maps of 4 x 4, 320 units, 50 units, 10 units.
  expect([cell(20, 4, 4), cell(320, 1, 1), cell(50, 1, 1), cell(10, 1, 1)]).toEqual([3, 3, 8, 17]);
});
