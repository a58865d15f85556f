import { layerColour, layerDash } from '../../draw/layer-keys';
import { plotWidth, type FootChart, type Lane, type Mark } from '../../draw/foot-chart';
import type { Tokens } from '../../draw/tokens';
import type { MetricsStore } from '../../frames/metrics-store';
import { columnOf, ColumnSeries, type StepAxis } from '../../scene/column-series';
import { formatPercent, formatSetting } from '../../scene/numbers';
import { linearLane, logLane, timeBase, type LaneScale } from '../../scene/lane-scale';
import type { Evaluation, Status } from '../../../src-shared/protocol/messages';

export const LANES = ['loss', 'accuracy', 'gradientNorm'] as const;
export type LaneName = (typeof LANES)[number];

/** Share of the newest step in the moving average of a line. */
const LOSS_SHARE = 0.06;
const NORM_SHARE = 0.05;

/** Where the accuracy lane may begin. */
const ACCURACY_FLOORS = [0.9, 0.5, 0];

/** Room for the dot of a test, CSS pixels. */
const DOT_ROOM = 12;

/** Where the lanes stand, CSS pixels. */
const FULL = { tops: [6, 45, 84], heights: [36, 35, 35], axisTop: 120 };
const ONE = { tops: [6], heights: [38], axisTop: 45 };

export interface FootInput {
  readonly width: number;
  readonly lanes: readonly LaneName[];
  readonly layers: readonly string[];
  readonly status: Status;
  readonly evaluations: readonly Evaluation[];
  /** Where the playhead stands; left out: at the newest step. */
  readonly step?: number;
  readonly marks?: readonly Mark[];
}

/** The charts' memory: series brought down to pixel columns, kept while the axis stays the same. */
export class FootModel {
  private series = new Map<string, ColumnSeries>();
  private axisKey = '';

  /** What is to be drawn now. */
  chart(metrics: MetricsStore, input: FootInput, tokens: Tokens): FootChart {
    const { width, lanes, status, marks = [] } = input;
    const { stepsPerEpoch, epochs } = status;
    const { step = metrics.length } = input;
    const lastStep = timeBase(metrics.length, stepsPerEpoch * epochs);
    const axisKey = [width, lastStep, metrics.revision].join();
    if (axisKey !== this.axisKey) this.series.clear();
    this.axisKey = axisKey;
    const epochStarts: number[] = [];
    for (let start = stepsPerEpoch; start < Math.min(lastStep, step); start += stepsPerEpoch)
      epochStarts.push(start);
    const places = lanes.length > 1 ? FULL : ONE;
    const axis = { lastStep, columns: plotWidth(width) + 1 };
    const take = (name: string, share: number): ColumnSeries => this.take(metrics, name, share, axis);
    return {
      width,
      axisTop: places.axisTop,
      step,
      isOver: status.state === 'finished' || status.state === 'failed',
      lastStep,
      epochStarts,
      marks,
      lanes: lanes.map((lane, index) => ({
        ...this.lane(lane, input, axis, take, tokens, epochStarts),
        top: places.tops[index] ?? 0,
        height: places.heights[index] ?? 0,
        shaded: index === 1,
      })),
    };
  }

  private lane(
    name: LaneName,
    { evaluations, layers }: FootInput,
    axis: StepAxis,
    take: (column: string, share: number) => ColumnSeries,
    tokens: Tokens,
    breaks: readonly number[],
  ): Omit<Lane, 'top' | 'height' | 'shaded'> {
    const tests = spaced(evaluations, axis);
    const plain = { colour: tokens.ink2, dash: [], range: false, breaks: [] };
    switch (name) {
      case 'loss': {
        const series = take('loss', LOSS_SHARE);
        const dots = tests.map(({ step, loss }) => ({ step, value: Number(loss) }));
        const scale = logLane(
          [series],
          dots.map(({ value }) => value),
          { low: 0.1, high: 2.5 },
        );
        const ends = endsOf(scale);
        return { ...scale, ...ends, floor: scale.low, traces: [{ ...plain, series, range: true }], dots };
      }
      case 'accuracy': {
        const series = take('runningAccuracy', 1);
        const dots = tests.map(({ step, accuracy }) => ({ step, value: accuracy }));
        // As fine as it can be with all of the line and of the tests in it.
        const shares = [...series.smooth, ...dots.map(({ value }) => value)].filter(Number.isFinite);
        const least = Math.min(1, ...shares);
        const scale = linearLane(
          shares.length === 0 ? 0 : (ACCURACY_FLOORS.find((floor) => floor <= least) ?? 0),
          1,
        );
        const traces = [{ ...plain, series, breaks }];
        return {
          ...scale,
          highest: '100 %',
          lowest: formatPercent(scale.low, 0),
          floor: scale.low,
          traces,
          dots,
        };
      }
      case 'gradientNorm': {
        const series = layers.map((layer) => take(`gradientNorm:${layer}`, NORM_SHARE));
        const scale = logLane(series, [], { low: 0.1, high: 10 });
        const traces = series.map((one, index) => ({
          ...plain,
          series: one,
          colour: layerColour(tokens, index),
          dash: layerDash(index),
        }));
        const ends = endsOf(scale);
        return { ...scale, ...ends, floor: scale.low, traces, dots: [] };
      }
    }
  }

  private take(metrics: MetricsStore, name: string, share: number, axis: StepAxis): ColumnSeries {
    let series = this.series.get(name);
    if (series === undefined) {
      series = new ColumnSeries(axis, share);
      this.series.set(name, series);
    }
    series.update(metrics.column(name));
    return series;
  }
}

/** Tests in the chart: of those that would lie on each other the last, and one on all test images before one on some. */
function spaced(evaluations: readonly Evaluation[], axis: StepAxis): Evaluation[] {
  const places = new Map<number, Evaluation>();
  for (const evaluation of evaluations) {
    const place = Math.floor(columnOf(evaluation.step, axis) / DOT_ROOM);
    if (evaluation.epoch === null && (places.get(place)?.epoch ?? null) !== null) continue;
    places.set(place, evaluation);
  }
  return [...places.values()];
}

/** Characters that fit right of the lanes. */
const END_WIDTH = 6;

const endsOf = ({ low, high }: LaneScale): { highest: string; lowest: string } => ({
  highest: formatSetting(high, END_WIDTH),
  lowest: formatSetting(low, END_WIDTH),
});
