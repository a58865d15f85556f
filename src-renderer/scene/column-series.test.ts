import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnOf, ColumnSeries } from './column-series';
import { linearLane, logLane, timeBase } from './lane-scale';

const axis = { lastStep: 1000, columns: 50 };
const series = fc.float32Array({ maxLength: 900, noDefaultInfinity: true, noNaN: true });

describe('ColumnSeries', () => {
  test('keeps the lowest and the highest value of each pixel column: no spike is lost', () => {
    fc.assert(
      fc.property(series, (values) => {
        const columns = new ColumnSeries(axis, 0.1);
        columns.update(values);
        const low = new Float64Array(50).fill(Infinity);
        const high = new Float64Array(50).fill(-Infinity);
        values.forEach((value, index) => {
          const column = columnOf(index + 1, axis);
          low[column] = Math.min(low[column] ?? 0, value);
          high[column] = Math.max(high[column] ?? 0, value);
        });
        expect(columns.low).toEqual(low);
        expect(columns.high).toEqual(high);
      }),
    );
  });

  test('of steps that are known by their stretch alone it takes the lowest and the highest', () => {
    const columns = new ColumnSeries({ lastStep: 4, columns: 3 }, 1);
    columns.update({ length: 4, at: () => 5, lowAt: () => 2, highAt: () => 8 });
    expect([...columns.low]).toEqual([Infinity, 2, 2]);
    expect([...columns.high]).toEqual([-Infinity, 8, 8]);
  });

  test('taking in piece by piece gives what taking in at once gives', () => {
    fc.assert(
      fc.property(series, fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 5 }), (values, cuts) => {
        const whole = new ColumnSeries(axis, 0.1);
        whole.update(values);
        const pieces = new ColumnSeries(axis, 0.1);
        for (const cut of [...cuts].sort((a, b) => a - b)) pieces.update(values.subarray(0, cut));
        pieces.update(values);
        expect(pieces.low).toEqual(whole.low);
        expect(pieces.smooth).toEqual(whole.smooth);
      }),
    );
  });

  test('a run that went back starts the chart over', () => {
    const columns = new ColumnSeries(axis, 1);
    columns.update(new Float32Array(500).fill(9));
    columns.update(new Float32Array(3).fill(1));
    expect(Math.max(...columns.high)).toBe(1);
    expect(columns.length).toBe(3);
  });

  test('a NaN parts the average and does not end it', () => {
    const columns = new ColumnSeries({ lastStep: 3, columns: 4 }, 0.5);
    columns.update(Float32Array.of(1, NaN, 3));
    expect([...columns.smooth]).toEqual([NaN, 1, NaN, 3]);
  });
});

describe('scales of the lanes', () => {
  test('the loss lane widens in steps when the loss leaves it, and survives NaN and infinity', () => {
    const wild = new ColumnSeries({ lastStep: 10, columns: 11 }, 1);
    wild.update(Float32Array.of(7, NaN, Infinity, 0.03));
    const lane = logLane([wild], [0.02], { low: 0.1, high: 2.5 });
    expect([lane.low, lane.high]).toEqual([0.02, 10]);
    expect(lane.place(0.02)).toBe(0);
    expect(lane.place(10)).toBe(1);
    expect(lane.place(0)).toBe(0);
    const calm = logLane([], [], { low: 0.1, high: 2.5 });
    expect([calm.low, calm.high]).toEqual([0.1, 2.5]);
  });

  test('the accuracy lane is cut off at 50 %', () => {
    const lane = linearLane(0.5, 1);
    expect([0.09, 0.5, 0.75, 1].map(lane.place)).toEqual([0, 0, 0.5, 1]);
  });

  test('the time base grows in steps to the whole run and always holds the newest step', () => {
    expect([0, 150, 190, 900, 1000, 1900, 2814, 3000].map((step) => timeBase(step, 2814))).toEqual([
      200, 200, 500, 1000, 2000, 2814, 2814, 3000,
    ]);
  });
});
