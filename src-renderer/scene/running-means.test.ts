import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunningMeans } from './running-means';

const series = fc.array(fc.oneof(fc.float({ min: -1000, max: 1000, noNaN: true }), fc.constant(Number.NaN)), {
  minLength: 1,
  maxLength: 300,
});

// Catches: a stretch that is counted twice or lost when two become one, a value that goes into the next stretch.
test('each point is the mean of its stretch, in however many parts the series came', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 1, max: 60 }), (values, part) => {
      const means = new RunningMeans(16);
      for (let length = 0; length < values.length; length += part) {
        means.takeUpTo(length, (index) => values[index]!);
      }
      means.takeUpTo(values.length, (index) => values[index]!);
      const points = means.means();
      const perStretch = 2 ** Math.max(0, Math.ceil(Math.log2(values.length / 16)));
      expect(points).toHaveLength(Math.ceil(values.length / perStretch));
      points.forEach((point, stretch) => {
        const inside = values.slice(stretch * perStretch, (stretch + 1) * perStretch).filter(Number.isFinite);
        const mean = inside.length === 0 ? Number.NaN : inside.reduce((a, b) => a + b, 0) / inside.length;
        if (Number.isNaN(mean)) expect(point).toBeNaN();
        else expect(point).toBeCloseTo(mean, 8);
      });
    }),
  );
});

// Catches: a chart that grows dearer with the run.
test('asks for each value once', () => {
  const means = new RunningMeans(8);
  const asked: number[] = [];
  for (const length of [5, 5, 40, 100]) {
    means.takeUpTo(length, (index) => {
      asked.push(index);
      return 1;
    });
  }
  expect(asked).toEqual(Array.from({ length: 100 }, (_, index) => index));
  expect(means.means().length).toBeLessThanOrEqual(8);
});

test('begins anew once it is cleared', () => {
  const means = new RunningMeans(2);
  means.takeUpTo(9, () => 7);
  means.clear();
  means.takeUpTo(2, (index) => index);
  expect([...means.means()]).toEqual([0, 1]);
});
