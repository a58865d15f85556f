/** One value a step, as an array has it: of Float32Array what is needed of it. `at(-1)` is the newest. */
export type StepSeries = Pick<Float32Array, 'length' | 'at'>;

/** Some rows of steps one after the other, column after column. */
export interface StepRows {
  /** Of the first row, counted from 1. */
  readonly firstStep: number;
  readonly count: number;
  /** Steps that a row is the mean of. */
  readonly stride: number;
  readonly values: Float32Array<ArrayBuffer>;
}

export interface StepLimits {
  /** Steps kept one by one: at least so many of the newest, and at most twice as many. */
  readonly recent: number;
  /** Means of earlier steps; once there would be more, each is of twice as many steps. */
  readonly means: number;
}

const LIMITS: StepLimits = { recent: 2 ** 15, means: 2 ** 14 };
const FIRST_CAPACITY = 1024;

/**
 * Columns of one value a step, in memory that is bounded however long a run is: the newest steps one by one, those of long
 * ago as means of stretches of equal length (a NaN makes the mean of its stretch NaN). With 15 columns 4.9 MB at most.
 */
export class StepColumns {
  private readonly recent: Float32Array<ArrayBuffer>[];
  private readonly means: Float32Array<ArrayBuffer>[];
  private readonly limits: StepLimits;
  private recentSteps = 0;
  private meanSteps = 0;
  private perMean = 1;

  /** @param count of columns */
  constructor(count: number, limits = LIMITS) {
    this.limits = limits;
    this.recent = Array.from({ length: count }, () => new Float32Array(FIRST_CAPACITY));
    this.means = Array.from({ length: count }, () => new Float32Array(0));
  }

  /** Steps, counted from 1. */
  get length(): number {
    return this.meanSteps + this.recentSteps;
  }

  /** How many of the first steps are not known one by one any more. */
  get averaged(): number {
    return this.meanSteps;
  }

  /** Steps that a mean is of. */
  get stride(): number {
    return this.perMean;
  }

  /**
   * Value of a column at a step index, counted from 0 or, below it, from the end: of a step long ago the mean of the stretch it
   * lies in. Undefined where there is none.
   */
  at(column: number, index: number): number | undefined {
    const { length } = this;
    const from0 = index < 0 ? length + index : index;
    if (from0 >= length) return undefined;
    return from0 < this.meanSteps
      ? this.means[column]?.[Math.floor(from0 / this.perMean)]
      : this.recent[column]?.[from0 - this.meanSteps];
  }

  /** A column as it is now, valid until it changes. */
  series(column: number): StepSeries {
    return { length: this.length, at: (index) => this.at(column, index) };
  }

  /**
   * Adds steps that follow on.
   * @param valueAt value of a row (from 0) in a column
   */
  append(count: number, valueAt: (row: number, column: number) => number): void {
    const { recent } = this.limits;
    for (let done = 0; done < count; ) {
      if (this.recentSteps === 2 * recent) this.average(recent);
      const part = Math.min(count - done, 2 * recent - this.recentSteps);
      const from = this.recentSteps;
      this.recent.forEach((values, column) => {
        const target = withRoomFor(values, from + part);
        for (let row = 0; row < part; row += 1) target[from + row] = valueAt(done + row, column);
        this.recent[column] = target;
      });
      this.recentSteps += part;
      done += part;
    }
  }

  /**
   * Takes over what another has averaged. There must be no step yet.
   * @param values column after column, each value the mean of `stride` steps
   */
  beginWithMeans(count: number, stride: number, values: Float32Array): void {
    this.perMean = stride;
    this.meanSteps = count * stride;
    this.means.forEach((_, column) => {
      this.means[column] = values.slice(column * count, (column + 1) * count);
    });
    while (this.meanSteps > this.limits.means * this.perMean) this.halve();
  }

  /** Forgets what came after the first `steps`. A stretch that they end within keeps the mean it has. */
  cutTo(steps: number): void {
    this.recentSteps = Math.max(0, Math.min(this.length, steps) - this.meanSteps);
    this.meanSteps = Math.min(this.meanSteps, steps);
  }

  /** The steps from `firstStep` on, one by one. */
  rowsFrom(firstStep: number): StepRows {
    const count = this.length - firstStep + 1;
    const values = new Float32Array(count * this.recent.length);
    this.recent.forEach((_, column) => {
      for (let row = 0; row < count; row += 1) {
        values[column * count + row] = this.at(column, firstStep - 1 + row) ?? Number.NaN;
      }
    });
    return { firstStep, count, stride: 1, values };
  }

  /** All there is, for somebody who begins with nothing: whole stretches as means, and the rest step by step. */
  all(): StepRows[] {
    const count = Math.floor(this.meanSteps / this.perMean);
    const values = new Float32Array(count * this.means.length);
    this.means.forEach((mean, column) => {
      values.set(mean.subarray(0, count), column * count);
    });
    const averaged = { firstStep: 1, count, stride: this.perMean, values };
    const rest = this.rowsFrom(count * this.perMean + 1);
    return [averaged, rest].filter((rows) => rows.count > 0);
  }

  /** Makes means of the oldest `steps` that are kept one by one. */
  private average(steps: number): void {
    while (this.meanSteps + steps > this.limits.means * this.perMean) this.halve();
    const { meanSteps, perMean } = this;
    this.recent.forEach((values, column) => {
      const mean = withRoomFor(
        this.means[column] ?? new Float32Array(0),
        Math.ceil((meanSteps + steps) / perMean),
      );
      for (let step = 0; step < steps; step += 1) {
        const row = Math.floor((meanSteps + step) / perMean);
        const before = (meanSteps + step) % perMean;
        mean[row] = meanOf(mean[row] ?? 0, before, values[step] ?? Number.NaN, 1);
      }
      this.means[column] = mean;
      values.copyWithin(0, steps, this.recentSteps);
    });
    this.meanSteps += steps;
    this.recentSteps -= steps;
  }

  /** Makes one mean of two. */
  private halve(): void {
    const { meanSteps, perMean } = this;
    const count = Math.ceil(meanSteps / perMean);
    for (const mean of this.means) {
      for (let row = 0; 2 * row < count; row += 1) {
        const second = Math.max(0, Math.min(perMean, meanSteps - (2 * row + 1) * perMean));
        mean[row] = meanOf(mean[2 * row] ?? 0, perMean, mean[2 * row + 1] ?? 0, second);
      }
    }
    this.perMean *= 2;
  }
}

/** Mean of `a` values whose mean is `mean` and `b` whose mean is `other`. */
function meanOf(mean: number, a: number, other: number, b: number): number {
  if (b === 0) return mean;
  return a === 0 ? other : mean + ((other - mean) * b) / (a + b);
}

/** Doubles, so that a run of n steps copies O(n) values in all. */
function withRoomFor(values: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length <= values.length) return values;
  const larger = new Float32Array(Math.max(length, values.length * 2));
  larger.set(values);
  return larger;
}
