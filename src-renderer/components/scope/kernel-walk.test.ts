import { describe, expect, test } from 'vitest';
import { arrangeKernels, kernelsAcross } from '../../scene/arrangement';
import { bandGrid, tileGrid } from '../../scene/tiles';
import { neighbour } from './kernel-walk';

const conv1 = tileGrid({ count: 10, tileHeight: 5, tileWidth: 5, across: 5, cell: 6, gap: 2 });
const conv2 = tileGrid({ count: 200, tileHeight: 5, tileWidth: 5, across: 10, cell: 3, gap: 1 });
const fc1 = bandGrid({ units: 50, inputs: 320, perBand: 160, cell: 1, gap: 3 });

describe('walking from kernel to kernel', () => {
  test('knows how many lie side by side, also in a folded matrix', () => {
    expect([conv1, conv2, fc1].map(kernelsAcross)).toEqual([5, 10, 1]);
  });

  test('goes to the neighbour on the screen', () => {
    expect(neighbour('ArrowDown', 37, conv2)).toBe(47);
    expect(neighbour('ArrowRight', 37, conv2)).toBe(38);
    expect(neighbour('Home', 37, conv2)).toBe(30);
    expect(neighbour('End', 37, conv2)).toBe(39);
    expect(neighbour('ArrowDown', 12, fc1)).toBe(13);
    expect(neighbour('ArrowUp', 7, conv1)).toBe(2);
  });

  test('goes by the screen, not by the tensor, where rows and columns are sorted', () => {
    const shape = { filters: 20, inputs: 10, height: 5, width: 5 };
    const backwards = (count: number): number[] =>
      Array.from({ length: count }, (_, place) => count - 1 - place);
    const sorted = arrangeKernels(conv2, shape, { filters: backwards(20), inputs: backwards(10) });
    expect(neighbour('ArrowDown', 37, sorted)).toBe(27);
    expect(neighbour('ArrowRight', 37, sorted)).toBe(36);
    expect(neighbour('Home', 37, sorted)).toBe(39);
    expect(neighbour('ArrowLeft', 199, sorted)).toBeNull();
  });

  test('stops at every edge instead of wrapping into another filter', () => {
    expect(neighbour('ArrowLeft', 30, conv2)).toBeNull();
    expect(neighbour('ArrowRight', 39, conv2)).toBeNull();
    expect(neighbour('ArrowUp', 3, conv2)).toBeNull();
    expect(neighbour('ArrowDown', 197, conv2)).toBeNull();
    expect(neighbour('ArrowRight', 12, fc1)).toBeNull();
    expect(neighbour('Tab', 12, fc1)).toBeNull();
  });
});
