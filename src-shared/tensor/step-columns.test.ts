import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StepColumns } from './step-columns';

const LIMITS = { recent: 16, means: 8 };
/** Column 0 counts, column 1 is wild. */
const valueOf = (index: number, column: number): number => (column === 0 ? index : Math.sin(7 * index) * 100);

function columnsOf(counts: readonly number[]): StepColumns {
  const columns = new StepColumns(2, LIMITS);
  let steps = 0;
  for (const count of counts) {
    const from = steps;
    columns.append(count, (row, column) => valueOf(from + row, column));
    steps += count;
  }
  return columns;
}

const counts = fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 12 });

/** Mean of the values of the stretch that a step index lies in. */
function stretchMean(columns: StepColumns, index: number, column: number): number {
  const from = Math.floor(index / columns.stride) * columns.stride;
  const to = Math.min(from + columns.stride, columns.averaged);
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += valueOf(i, column);
  return sum / (to - from);
}

describe('StepColumns', () => {
  test('has the newest steps one by one and the others as means of stretches, however they came', () => {
    fc.assert(
      fc.property(counts, (parts) => {
        const columns = columnsOf(parts);
        const total = parts.reduce((sum, count) => sum + count, 0);
        expect(columns.length).toBe(total);
        expect(total - columns.averaged).toBeGreaterThanOrEqual(Math.min(total, LIMITS.recent));
        for (let index = 0; index < total; index += 1) {
          for (const column of [0, 1]) {
            const expected =
              index < columns.averaged ? stretchMean(columns, index, column) : valueOf(index, column);
            expect(columns.at(column, index)).toBeCloseTo(expected, 3);
          }
        }
        expect([columns.at(0, total), columns.at(0, -1)]).toEqual([
          undefined,
          total === 0 ? undefined : total - 1,
        ]);
      }),
    );
  });

  // Catches: memory, and the first message to a page that comes late, that grow with the run.
  test('keeps no more than its limits, however long the run', () => {
    const columns = new StepColumns(1);
    columns.append(3_000_000, (row) => row);
    const rows = columns.all().reduce((sum, { count }) => sum + count, 0);
    expect(rows).toBeLessThanOrEqual(2 * 2 ** 15 + 2 ** 14 + columns.stride);
    expect(columns.at(0, 2_999_999)).toBe(2_999_999);
    const middle = columns.at(0, 1_000_000) ?? 0;
    expect(Math.abs(middle - 1_000_000)).toBeLessThan(columns.stride);
  });

  test('whoever takes over all there is has the same, and goes on from there', () => {
    fc.assert(
      fc.property(counts, counts, (before, after) => {
        const first = columnsOf(before);
        const second = new StepColumns(2, LIMITS);
        for (const { firstStep, count, stride, values } of first.all()) {
          expect(firstStep).toBe(second.length + 1);
          expect(values.length).toBe(2 * count * (stride > 1 ? 3 : 1));
          if (stride > 1) second.beginWithMeans(count, stride, values);
          else second.append(count, (row, column) => values[column * count + row] ?? Number.NaN);
        }
        const same = (): void => {
          expect(second.length).toBe(first.length);
          for (let index = 0; index < first.length; index += 1) {
            // Where a stretch was not whole, the second has its mean for each of its steps.
            expect(Math.abs((second.at(0, index) ?? NaN) - (first.at(0, index) ?? NaN))).toBeLessThan(
              2 * Math.max(first.stride, second.stride),
            );
          }
        };
        same();
        for (const count of after) {
          const from = first.length;
          for (const columns of [first, second])
            columns.append(count, (row, column) => valueOf(from + row, column));
        }
        same();
      }),
    );
  });

  // Catches: a chart whose spikes are gone once they are long ago.
  test('the lowest and the highest value of a stretch are kept, and taken over', () => {
    fc.assert(
      fc.property(counts, (parts) => {
        const first = columnsOf(parts);
        const second = new StepColumns(2, LIMITS);
        const [means] = first.all();
        if (means !== undefined && means.stride > 1) {
          second.beginWithMeans(means.count, means.stride, means.values);
        }
        for (const columns of [first, second]) {
          const series = columns.series(1);
          for (let index = 0; index < columns.length; index += 1) {
            const from = Math.floor(index / columns.stride) * columns.stride;
            const averaged = index < columns.averaged;
            const [start, end] = averaged
              ? [from, Math.min(from + columns.stride, columns.averaged)]
              : [index, index + 1];
            const stretch = Array.from({ length: end - start }, (_, i) => Math.fround(valueOf(start + i, 1)));
            expect(series.lowAt?.(index)).toBe(Math.min(...stretch));
            expect(series.highAt?.(index)).toBe(Math.max(...stretch));
          }
        }
      }),
    );
  });

  test('a run that went back forgets what came after, and goes on', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 400 }), (parts, cut) => {
        const columns = columnsOf(parts);
        const kept = Math.min(cut, columns.length);
        columns.cutTo(cut);
        expect(columns.length).toBe(kept);
        columns.append(40, (row) => 1000 + row);
        expect(columns.length).toBe(kept + 40);
        expect(columns.at(0, -1)).toBe(1039);
        expect(columns.at(0, kept + 39 - 15)).toBe(1024);
      }),
    );
  });

  test('a NaN is not averaged away', () => {
    const columns = new StepColumns(1, LIMITS);
    columns.append(500, (row) => (row === 3 ? Number.NaN : 1));
    expect([columns.at(0, 3), columns.at(0, 499)]).toEqual([NaN, 1]);
    expect(columns.stride).toBeGreaterThan(1);
  });

  test('the rows from a step on are column after column', () => {
    const columns = columnsOf([5]);
    expect(columns.rowsFrom(4)).toEqual({
      firstStep: 4,
      count: 2,
      stride: 1,
      values: Float32Array.of(3, 4, valueOf(3, 1), valueOf(4, 1)),
    });
  });
});
