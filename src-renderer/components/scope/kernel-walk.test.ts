import { describe, expect, test } from 'vitest';
import { bandGrid, tileGrid } from '../../scene/tiles';
import { kernelsAcross, neighbour } from './kernel-walk';

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

  test('stops at every edge instead of wrapping into another filter', () => {
    expect(neighbour('ArrowLeft', 30, conv2)).toBeNull();
    expect(neighbour('ArrowRight', 39, conv2)).toBeNull();
    expect(neighbour('ArrowUp', 3, conv2)).toBeNull();
    expect(neighbour('ArrowDown', 197, conv2)).toBeNull();
    expect(neighbour('ArrowRight', 12, fc1)).toBeNull();
    expect(neighbour('Tab', 12, fc1)).toBeNull();
  });
});
