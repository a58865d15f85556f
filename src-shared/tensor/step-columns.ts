/** One value a step, as an array has it: of Float32Array what is needed of it. `at(-1)` is the newest. */
export type StepSeries = Pick<Float32Array, 'length' | 'at'> & {
  /** Lowest and highest value in the stretch that a step index, counted from 0, lies in; left out where each step is known. */
  readonly lowAt?: (index: number) => number | undefined;
  readonly highAt?: (index: number) => number | undefined;
};

/** Some rows of steps one after the other, column after column. */
export interface StepRows {
  /** Of the first row, counted from 1. */
  readonly firstStep: number;
  readonly count: number;
  /** Steps that a row is of. */
  readonly stride: number;
  /** Of each column `count` values; where a row is of several steps their means, then their lowest, then their highest values. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** What is left of the steps of long ago: of each stretch the mean, the lowest and the highest value. */
type Means = Record<'mean' | 'low' | 'high', Float32Array<ArrayBuffer>>;

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
 * ago as means and extremes of stretches of equal length (a NaN makes the mean of its stretch NaN, and is no extreme). With 15
 * columns 6.9 MB at most.
 */
export class StepColumns {
  private readonly recent: Float32Array<ArrayBuffer>[];
  private readonly means: Means[];
  private readonly limits: StepLimits;
  private recentSteps = 0;
  private meanSteps = 0;
  private perMean = 1;

  /** @param count of columns */
  constructor(count: number, limits = LIMITS) {
    this.limits = limits;
    this.recent = Array.from({ length: count }, () => new Float32Array(FIRST_CAPACITY));
    this.means = Array.from({ length: count }, () => meansOf(() => new Float32Array(0)));
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
    return this.kept(column, from0, 'mean');
  }

  private kept(column: number, index: number, what: keyof Means): number | undefined {
    return index < this.meanSteps
      ? this.means[column]?.[what][Math.floor(index / this.perMean)]
      : this.recent[column]?.[index - this.meanSteps];
  }

  /** A column as it is now, valid until it changes. */
  series(column: number): StepSeries {
    return {
      length: this.length,
      at: (index) => this.at(column, index),
      lowAt: (index) => this.kept(column, index, 'low'),
      highAt: (index) => this.kept(column, index, 'high'),
    };
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
   * @param values as in StepRows
   */
  beginWithMeans(count: number, stride: number, values: Float32Array): void {
    this.perMean = stride;
    this.meanSteps = count * stride;
    this.means.forEach((_, column) => {
      const part = (at: number): Float32Array<ArrayBuffer> =>
        Float32Array.from(values.subarray((3 * column + at) * count, (3 * column + at + 1) * count));
      this.means[column] = { mean: part(0), low: part(1), high: part(2) };
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
    const values = new Float32Array(3 * count * this.means.length);
    this.means.forEach(({ mean, low, high }, column) => {
      [mean, low, high].forEach((list, at) => {
        values.set(list.subarray(0, count), (3 * column + at) * count);
      });
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
      const rows = Math.ceil((meanSteps + steps) / perMean);
      const means = meansOf((what) => withRoomFor(this.means[column]![what], rows));
      const { mean, low, high } = means;
      for (let step = 0; step < steps; step += 1) {
        const row = Math.floor((meanSteps + step) / perMean);
        const before = (meanSteps + step) % perMean;
        const value = values[step]!;
        mean[row] = meanOf(mean[row]!, before, value, 1);
        low[row] = least(before === 0 ? Number.POSITIVE_INFINITY : low[row]!, value);
        high[row] = most(before === 0 ? Number.NEGATIVE_INFINITY : high[row]!, value);
      }
      this.means[column] = means;
      values.copyWithin(0, steps, this.recentSteps);
    });
    this.meanSteps += steps;
    this.recentSteps -= steps;
  }

  /** Makes one mean of two. */
  private halve(): void {
    const { meanSteps, perMean } = this;
    const count = Math.ceil(meanSteps / perMean);
    for (const { mean, low, high } of this.means) {
      for (let row = 0; 2 * row < count; row += 1) {
        const [first, next] = [2 * row, 2 * row + 1];
        const second = Math.max(0, Math.min(perMean, meanSteps - next * perMean));
        mean[row] = meanOf(mean[first]!, perMean, mean[next] ?? 0, second);
        low[row] = second === 0 ? low[first]! : least(low[first]!, low[next]!);
        high[row] = second === 0 ? high[first]! : most(high[first]!, high[next]!);
      }
    }
    this.perMean *= 2;
  }
}

const meansOf = (make: (what: keyof Means) => Float32Array<ArrayBuffer>): Means => ({
  mean: make('mean'),
  low: make('low'),
  high: make('high'),
});

/** Of the two; what is no number is no extreme. */
const least = (extreme: number, value: number): number => (value < extreme ? value : extreme);
const most = (extreme: number, value: number): number => (value > extreme ? value : extreme);

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
