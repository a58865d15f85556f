import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { MetricsStore } from './metrics-store';

const withColumns = (...columns: string[]): MetricsStore => {
  const store = new MetricsStore();
  store.reset(columns);
  return store;
};

const valuesOf = (store: MetricsStore, name: string): (number | undefined)[] => {
  const column = store.column(name);
  return Array.from({ length: column.length }, (_, index) => column.at(index));
};

describe('MetricsStore', () => {
  test('keeps every row of every column, however the rows are cut into messages and however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 5 }), (counts) => {
        const store = withColumns('loss', 'runningAccuracy');
        let steps = 0;
        for (const count of counts) {
          const rows = Float32Array.from({ length: count }, (_, index) => steps + index);
          store.append(steps + 1, count, Float32Array.of(...rows, ...rows.map((value) => -1 - value)));
          steps += count;
        }
        expect(store.length).toBe(steps);
        expect(valuesOf(store, 'loss')).toEqual(Array.from({ length: steps }, (_, index) => index));
        expect(store.last('runningAccuracy')).toBe(steps === 0 ? null : -steps);
      }),
      { numRuns: 15 },
    );
  });

  test('a run that went back forgets what came after', () => {
    const store = withColumns('loss');
    store.append(1, 4, Float32Array.of(1, 2, 3, 4));
    store.append(2, 1, Float32Array.of(9));
    expect(valuesOf(store, 'loss')).toEqual([1, 9]);
  });

  // Catches: a chart that keeps what it made of rows that are no more, as there are as many again.
  test('has another revision once rows are others or gone, and the same as long as rows only come', () => {
    const store = withColumns('loss');
    const revisions = [store.revision];
    const note = (change: () => void): void => {
      change();
      revisions.push(store.revision);
    };
    const append = (firstStep: number, ...losses: number[]) =>
      note(() => store.append(firstStep, losses.length, Float32Array.from(losses)));
    append(1, 1, 2);
    append(3, 3);
    append(2, 8, 9);
    note(() => store.reset(['loss']));
    const [first, second, third, rewritten, reset] = revisions;
    expect([second, third]).toEqual([first, first]);
    expect(new Set([first, rewritten, reset]).size).toBe(3);
  });

  test('refuses a hole and a payload of the wrong size, and stays as it was', () => {
    const store = withColumns('loss');
    store.append(1, 1, Float32Array.of(1));
    expect(() => {
      store.append(3, 1, Float32Array.of(3));
    }).toThrow('should go on from step 2, but they start at step 3');
    expect(() => {
      store.append(2, 2, Float32Array.of(2));
    }).toThrow('should hold 2 values, but they hold 1');
    expect(store.length).toBe(1);
  });

  test('a page that comes late has steps of long ago as means, and each step from there on', () => {
    const store = withColumns('loss', 'runningLoss');
    store.append(1, 2, Float32Array.of(10, 20, 9, 19, 11, 21, 1, 2, 0, 1, 2, 3), 4);
    store.append(9, 1, Float32Array.of(30, 3));
    expect(valuesOf(store, 'loss')).toEqual([10, 10, 10, 10, 20, 20, 20, 20, 30]);
    expect(store.last('runningLoss')).toBe(3);
    const { lowAt, highAt } = store.column('loss');
    expect([4, 8].map((index) => [lowAt?.(index), highAt?.(index)])).toEqual([
      [19, 21],
      [30, 30],
    ]);
    expect(() => {
      store.append(10, 1, Float32Array.of(1, 1), 2);
    }).toThrow('Metrics after step 9 should be of one step a row, but they are of 2.');
  });

  // Catches: a page that comes late and takes every step that it hears of for one of other weights.
  test('what was measured after weights were replaced is of those there are', () => {
    const store = withColumns('loss');
    store.append(1, 3, Float32Array.of(1, 2, 3));
    store.weightsReplaced(2);
    expect([store.last('loss'), store.stepsOfOtherWeights]).toEqual([3, 2]);
    store.weightsReplaced(3);
    expect([store.last('loss'), store.stepsOfOtherWeights]).toEqual([null, 3]);
  });

  test('an unknown column is empty, and listeners hear of every change until they leave', () => {
    const store = withColumns('loss');
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    store.append(1, 1, Float32Array.of(1));
    expect(store.column('nothing')).toHaveLength(0);
    leave();
    store.reset(['loss']);
    expect(listener).toHaveBeenCalledOnce();
    expect(store.last('loss')).toBeNull();
  });
});
