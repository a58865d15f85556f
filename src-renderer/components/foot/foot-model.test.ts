import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evaluation, Status } from '../../../src-shared/protocol/messages';
import { paintFootChart } from '../../draw/foot-chart';
import { drawLog } from '../../draw/testing/draw-log';
import type { Tokens } from '../../draw/tokens';
import { MetricsStore } from '../../frames/metrics-store';
import { FootModel, LANES, type FootInput } from './foot-model';

const tokens = { ink2: 'grey', keys: ['k1', 'k2', 'k3', 'k4'] } as unknown as Tokens;
const evaluation = (step: number, loss: Evaluation['loss'], accuracy: number): Evaluation => ({
  type: 'evaluation',
  runId: 1,
  step,
  epoch: null,
  loss,
  accuracy,
  examples: 10_000,
  runningLoss: null,
  runningAccuracy: null,
  imagesPerSecond: null,
});
const input = (change: Partial<FootInput> = {}): FootInput => ({
  width: 500,
  lanes: LANES,
  layers: ['conv1', 'fc1'],
  status: { stepsPerEpoch: 938, epochs: 3 } as Status,
  evaluations: [],
  ...change,
});

function metricsOf(steps: number, accuracy: number): MetricsStore {
  const metrics = new MetricsStore();
  metrics.reset(['loss', 'runningAccuracy', 'gradientNorm:conv1', 'gradientNorm:fc1']);
  const values = [0.3, accuracy, 0.5, 2];
  const payload = new Float32Array(steps * values.length);
  values.forEach((value, column) => payload.fill(value, column * steps, (column + 1) * steps));
  metrics.append(1, steps, payload);
  return metrics;
}

describe('FootModel', () => {
  test('has one lane each for loss, both accuracies, and a line a layer for the gradient norms', () => {
    const { lanes } = new FootModel().chart(
      metricsOf(2000, 0.9),
      input({ evaluations: [evaluation(938, 0.18, 0.94)] }),
      tokens,
    );
    expect(lanes.map(({ traces, dots }) => [traces.length, dots.length])).toEqual([
      [1, 1],
      [1, 1],
      [2, 0],
    ]);
    expect(lanes[2]?.traces.map(({ colour }) => colour)).toEqual(['k1', 'k2']);
    expect(lanes[1]?.dots[0]).toEqual({ step: 938, value: 0.94 });
  });

  // Catches: a chart that grows dearer with the run, and dots that lie on each other.
  test('of tests that would lie on each other the last has a dot, and one on all images before one on some', () => {
    const epochs = 100;
    const evaluations = Array.from({ length: 3 * epochs }, (_, index) => {
      const step = 300 * (index + 1);
      return { ...evaluation(step, 0.1, index / 1000), epoch: index % 3 === 2 ? (index + 1) / 3 : null };
    });
    const status = { stepsPerEpoch: 900, epochs } as Status;
    const { lanes } = new FootModel().chart(metricsOf(90_000, 0.9), input({ evaluations, status }), tokens);
    const dots = lanes[0]?.dots ?? [];
    expect(dots.length).toBeLessThan(500 / 12);
    expect(dots.length).toBeGreaterThan(500 / 24);
    expect(dots.filter(({ step }) => step % 900 !== 0)).toEqual([]);
    expect(dots.at(-1)?.step).toBe(90_000);
  });

  test('running accuracy begins anew at each epoch that has begun', () => {
    const chart = new FootModel().chart(metricsOf(2000, 0.9), input(), tokens);
    expect(chart.lanes[1]?.traces[0]?.breaks).toEqual([938, 1876]);
    expect(chart.epochStarts).toEqual([938, 1876]);
  });

  // Catches: the line of steps that were gone back over, kept once as many have been trained again.
  test('draws a run that went back as it went on', () => {
    const model = new FootModel();
    const metrics = metricsOf(50, 0.9);
    const course = (): number[] => [
      ...(model.chart(metrics, input(), tokens).lanes[1]?.traces[0]?.series.smooth ?? []),
    ];
    const before = course();
    metrics.append(
      1,
      50,
      Float32Array.from({ length: 200 }, () => 0.7),
    );
    const after = course();
    expect(Math.max(...before.filter(Number.isFinite))).toBeCloseTo(0.9);
    expect(Math.max(...after.filter(Number.isFinite))).toBeCloseTo(0.7);
  });

  // Catches: a running accuracy of 12 % that is a flat line at 50 % because it once was above 60 %.
  test('begins the accuracy lane so that every value of the line and of the tests has a place of its own', () => {
    const lane = (accuracies: readonly number[], test = 1): { lowest: string; places: number[] } => {
      const metrics = metricsOf(50, accuracies[0] ?? 0);
      for (const [index, accuracy] of accuracies.slice(1).entries()) {
        const payload = Float32Array.from({ length: 200 }, (_, at) => (at >= 50 && at < 100 ? accuracy : 1));
        metrics.append(50 * (index + 1) + 1, 50, payload);
      }
      const evaluations = [evaluation(10, 0.1, test)];
      const found = new FootModel().chart(metrics, input({ evaluations }), tokens).lanes[1];
      if (found === undefined) throw new Error('no accuracy lane');
      return { lowest: found.lowest, places: accuracies.map((accuracy) => found.place(accuracy)) };
    };
    expect([lane([0.2]).lowest, lane([0.7]).lowest, lane([0.95]).lowest]).toEqual(['0 %', '50 %', '90 %']);
    expect(lane([0.95], 0.3).lowest).toBe('0 %');
    const fallen = lane([0.7, 0.12]);
    expect(fallen.lowest).toBe('0 %');
    expect(fallen.places[1]).toBeCloseTo(0.12);
  });

  test('an evaluation whose loss is not a number stays one', () => {
    const evaluations = [evaluation(10, 'NaN', 0.1), evaluation(20, 'Infinity', 0.1)];
    const dots = new FootModel().chart(metricsOf(50, 0.2), input({ evaluations }), tokens).lanes[0]?.dots;
    expect(dots?.map(({ value }) => value)).toEqual([NaN, Infinity]);
  });

  test('a run that goes on beyond its epochs, or begins anew, is drawn on a new axis from all its steps', () => {
    const model = new FootModel();
    const metrics = metricsOf(2800, 0.9);
    expect(model.chart(metrics, input(), tokens).lastStep).toBe(2814);
    const longer = model.chart(
      metrics,
      input({ status: { stepsPerEpoch: 938, epochs: 5 } as Status }),
      tokens,
    );
    expect(longer.lastStep).toBe(4690);
    expect(longer.lanes[0]?.traces[0]?.series.length).toBe(2800);
    const anew = model.chart(metricsOf(10, 0.1), input(), tokens);
    expect([anew.lastStep, anew.lanes[0]?.traces[0]?.series.length]).toEqual([200, 10]);
  });

  test('with one lane it stands where one lane has room', () => {
    const { lanes, axisTop } = new FootModel().chart(
      metricsOf(10, 0.1),
      input({ lanes: ['accuracy'] }),
      tokens,
    );
    expect([lanes.length, lanes[0]?.top, axisTop]).toEqual([1, 6, 45]);
  });
});

// Catches: "Invalid typed array length" in a window that leaves the chart less room than its scale needs.
test('the chart is drawn at every width from nothing to that of a wall of screens', () => {
  const metrics = metricsOf(300, 0.9);
  const evaluations = [evaluation(200, 0.18, 0.94)];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 8000 }),
        fc.double({ min: 0, max: 8000, noNaN: true }),
      ),
      fc.constantFrom(LANES, LANES.slice(0, 1)),
      (width, lanes) => {
        const { context, log } = drawLog();
        const chart = new FootModel().chart(metrics, input({ width, lanes, evaluations }), tokens);
        paintFootChart(context, chart, tokens);
        expect(log.filter((entry) => /NaN|Infinity/.test(entry))).toEqual([]);
        for (const { traces } of chart.lanes) {
          for (const { series } of traces) expect(series.axis.columns).toBeGreaterThanOrEqual(1);
        }
      },
    ),
  );
});
