import { expect, test } from 'vitest';
import {
  blockMeans,
  channelMeans,
  largest,
  largestKernel,
  meanMap,
  norm,
  positiveShare,
  silentChannels,
} from './statistics';

test('norm is the L2 norm', () => {
  expect(norm(Float32Array.of(3, -4))).toBe(5);
});

test('a NaN is never averaged away, counted as inactive, or passed over as largest', () => {
  const values = Float32Array.of(1, NaN, 0, 0);
  expect(positiveShare(values)).toBeNaN();
  expect(silentChannels(values, 2)).toBe(1);
  expect(largest(values)).toBeNaN();
  expect(norm(values)).toBeNaN();
});

test('channels are equal stretches', () => {
  const values = Float32Array.of(1, 3, 0, -1, 0, 0);
  expect([...channelMeans(values, 3)]).toEqual([2, -0.5, 0]);
  expect(silentChannels(values, 3)).toBe(2);
  expect(positiveShare(values)).toBeCloseTo(1 / 3);
});

test('meanMap takes the mean position by position', () => {
  const target = new Float32Array(2);
  meanMap(Float32Array.of(1, 2, 3, 4), 2, target);
  expect([...target]).toEqual([2, 3]);
});

test('largestKernel compares norms, not single values', () => {
  expect(largestKernel(Float32Array.of(3, 0, 2.5, -2.5, 1, 1), 2)).toBe(1);
});

test('blockMeans averages whole blocks, also where they do not divide evenly', () => {
  const target = new Float32Array(2);
  blockMeans(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], target, [1, 2]);
  expect([...target]).toEqual([(1 + 4) / 2, (2 + 3 + 5 + 6) / 4]);
});
