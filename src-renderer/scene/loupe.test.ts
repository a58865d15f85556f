import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrangeKernels } from './arrangement';
import { neighbourhood } from './loupe';
import { bandGrid, placeOf, tileGrid } from './tiles';

const shuffled = (count: number): fc.Arbitrary<number[]> => {
  const inOrder = Array.from({ length: count }, (_, index) => index);
  return fc.shuffledSubarray(inOrder, { minLength: count, maxLength: count });
};
const fc1 = bandGrid({ units: 50, inputs: 320, perBand: 160, cell: 1, gap: 3 });

describe('the neighbourhood under the loupe', () => {
  test('has beside each other what the sorted picture has beside each other', () => {
    const plain = bandGrid({ units: 20, inputs: 40, perBand: 40, cell: 1, gap: 3 });
    const shape = { filters: 20, inputs: null, height: 1, width: 40 };
    fc.assert(
      fc.property(shuffled(20), shuffled(40), fc.nat(799), (filters, inputs, index) => {
        const tiles = arrangeKernels(plain, shape, { filters, inputs });
        const { rows, columns, indices, kernels, row, column } = neighbourhood(tiles, index, 15);
        expect(indices[row * columns + column]).toBe(index);
        const centre = placeOf(tiles, index);
        for (let at = 0; at < rows * columns; at += 1) {
          const found = indices[at] ?? -1;
          expect(kernels[at]).toBe(Math.floor(found / 40));
          expect(placeOf(tiles, found)).toEqual({
            x: (centre?.x ?? 0) + (at % columns) - column,
            y: (centre?.y ?? 0) + Math.floor(at / columns) - row,
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('goes on over the fold between two bands, where the picture does not', () => {
    const { indices, columns, row, column } = neighbourhood(fc1, 25 * 320 + 159, 15);
    expect(indices[row * columns + column + 1]).toBe(25 * 320 + 160);
  });

  test('stays inside the matrix at its edges, and is no larger than the matrix', () => {
    expect(neighbourhood(fc1, 0, 15)).toMatchObject({ rows: 15, columns: 15, row: 0, column: 0 });
    expect(neighbourhood(fc1, 50 * 320 - 1, 15)).toMatchObject({ row: 14, column: 14 });
    const small = bandGrid({ units: 3, inputs: 4, perBand: 4, cell: 1, gap: 3 });
    expect(neighbourhood(small, 5, 15)).toMatchObject({ rows: 3, columns: 4, row: 1, column: 1 });
  });

  test('of kernels: crosses from kernel to kernel and knows where each begins', () => {
    const conv2 = tileGrid({ count: 200, tileHeight: 5, tileWidth: 5, across: 10, cell: 2, gap: 1 });
    // Filter 3, input 7, in its middle.
    const { indices, columns, row, column, ...rest } = neighbourhood(conv2, 37 * 25 + 12, 15);
    expect([row, column]).toEqual([7, 7]);
    expect(indices[row * columns + column + 3], 'first of the same row of input 8').toBe(38 * 25 + 10);
    expect(rest).toMatchObject({ kernelRows: 5, kernelColumns: 5, rowInKernel: 0, columnInKernel: 0 });
  });
});
