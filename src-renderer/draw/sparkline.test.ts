import { expect, test } from 'vitest';
import { paintSparkline, sparklineRight } from './sparkline';
import { drawLog } from './testing/draw-log';

const style = { width: 100, height: 20, colour: 'teal', log: false, dash: [] };
const lines = (points: number[], change: Partial<typeof style> = {}): string[] => {
  const { context, log } = drawLog();
  paintSparkline(context, Float64Array.from(points), { ...style, ...change });
  return log.filter((entry) => /^(moveTo|lineTo|arc)/.test(entry));
};

test('runs from edge to edge between the lowest and the highest point and ends in a dot', () => {
  const [first, second, third, dot] = lines([1, 3, 2]);
  expect(first).toBe('moveTo 0.5 18');
  expect(second?.split(' ')[2]).toBe('2');
  expect(third).toBe(`lineTo ${dot?.split(' ')[1] ?? ''} 10`);
});

test('a NaN parts the line instead of bending it, and zero has no logarithm', () => {
  expect(lines([1, NaN, 2, 3]).map((entry) => entry.split(' ')[0])).toEqual([
    'moveTo',
    'moveTo',
    'lineTo',
    'arc',
  ]);
  expect(lines([0, 1, 10], { log: true }).map((entry) => entry.split(' ')[0])).toEqual([
    'moveTo',
    'lineTo',
    'arc',
  ]);
});

test('nothing to draw draws nothing', () => {
  expect(lines([])).toEqual([]);
  expect(lines([NaN, Infinity])).toEqual([]);
});

test('points lie where their steps are, not at equal distances, and a mark stands at its point', () => {
  const { context, log } = drawLog();
  const places = [0, 0.25, 1];
  const mark = { index: 1, colour: 'white' };
  paintSparkline(context, Float64Array.of(1, 3, 2), { ...style, places, mark });
  const xs = log
    .filter((entry) => /^(moveTo|lineTo)/.test(entry))
    .map((entry) => Number(entry.split(' ')[1]));
  const right = sparklineRight(style.width);
  const second = 0.5 + 0.25 * (right - 0.5);
  expect(xs).toEqual([0.5, second, right, second, second]);
});
