import type { StepSeries } from '../../src-shared/tensor/step-columns';

/** Where a step lies on an axis of steps. */
export interface StepAxis {
  /** Steps 0 .. lastStep take up the whole width. */
  readonly lastStep: number;
  /** Pixel columns: a whole number, at least one. */
  readonly columns: number;
}

/** Pixel column of a step, 0 .. columns - 1. */
export const columnOf = (step: number, { lastStep, columns }: StepAxis): number =>
  Math.min(columns - 1, Math.max(0, Math.floor((step / Math.max(1, lastStep)) * (columns - 1) + 0.5)));

/**
 * A series of one value a step, brought down to what a chart of some pixels can show: for each pixel column the lowest
 * and the highest value in it, so that no spike is lost, and the last value of its moving average. It takes in only what
 * is new, so a chart costs the same however long the run is.
 */
export class ColumnSeries {
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Moving average at the last step of the column. */
  readonly smooth: Float64Array;
  readonly axis: StepAxis;
  private readonly share: number;
  private average = Number.NaN;
  private taken = 0;
  /** Columns that have a value are marked; NaN alone would hide a column of NaN losses. */
  readonly seen: Uint8Array;

  /** @param share of the newest value in the exponential moving average, 0 < share <= 1; 1: no smoothing */
  constructor(axis: StepAxis, share: number) {
    this.axis = axis;
    this.share = share;
    this.low = new Float64Array(axis.columns).fill(Number.POSITIVE_INFINITY);
    this.high = new Float64Array(axis.columns).fill(Number.NEGATIVE_INFINITY);
    this.smooth = new Float64Array(axis.columns).fill(Number.NaN);
    this.seen = new Uint8Array(axis.columns);
  }

  /** Steps taken in so far. */
  get length(): number {
    return this.taken;
  }

  /**
   * Takes in what `values` has beyond what was taken before; value i is of step i + 1. A series that has become shorter
   * starts over.
   */
  update(values: StepSeries): void {
    if (values.length < this.taken) this.restart();
    for (let index = this.taken; index < values.length; index += 1) {
      const value = values.at(index) ?? Number.NaN;
      const column = columnOf(index + 1, this.axis);
      this.seen[column] = 1;
      const low = values.lowAt?.(index) ?? value;
      const high = values.highAt?.(index) ?? value;
      if (low < (this.low[column] ?? 0)) this.low[column] = low;
      if (high > (this.high[column] ?? 0)) this.high[column] = high;
      // A moving average never recovers from a NaN, so it starts again after one.
      this.average = Number.isFinite(this.average)
        ? this.average + (value - this.average) * this.share
        : value;
      this.smooth[column] = this.average;
    }
    this.taken = values.length;
  }

  private restart(): void {
    this.low.fill(Number.POSITIVE_INFINITY);
    this.high.fill(Number.NEGATIVE_INFINITY);
    this.smooth.fill(Number.NaN);
    this.seen.fill(0);
    this.average = Number.NaN;
    this.taken = 0;
  }
}
