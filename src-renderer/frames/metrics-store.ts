import { GradscopeError } from '../../src-shared/protocol/errors';
import { StepColumns, type StepSeries } from '../../src-shared/tensor/step-columns';

const NOTHING: StepSeries = new Float32Array(0);

/**
 * What the steps of the run measured, column by column: the newest step by step, those of long ago as means (StepColumns).
 * Columns are those that `ready` names: `loss`, `runningAccuracy`, `gradientNorm:conv1`, ...
 */
export class MetricsStore {
  private names: readonly string[] = [];
  private steps = new StepColumns(0);
  private timesRewritten = 0;
  /** Steps of before the weights were replaced: they say nothing of those there are. */
  private pastSteps = 0;
  private readonly listeners = new Set<() => void>();

  /** Starts over with these columns and no rows. */
  reset(columns: readonly string[]): void {
    this.names = columns;
    this.steps = new StepColumns(columns.length);
    this.pastSteps = 0;
    this.timesRewritten += 1;
    this.notify();
  }

  /**
   * Adds the rows of steps `firstStep` .. `firstStep + count - 1`; rows that are there already are replaced and what
   * came after them is forgotten (the run went back).
   * @param payload as StepRows has its values
   * @param stride steps that each row is of; more than one only where nothing is known yet
   * @throws GradscopeError `malformed-message` when steps are missing in between or the size is wrong.
   */
  append(firstStep: number, count: number, payload: Float32Array, stride = 1): void {
    const { length } = this.steps;
    if (firstStep < 1 || firstStep > length + 1) {
      throw new GradscopeError(
        'malformed-message',
        `Metrics should go on from step ${String(length + 1)}, but they start at step ${String(firstStep)}.`,
      );
    }
    if (stride > 1 && length > 0) {
      throw new GradscopeError(
        'malformed-message',
        `Metrics after step ${String(length)} should be of one step a row, but they are of ${String(stride)}.`,
      );
    }
    const expected = count * this.names.length * (stride > 1 ? 3 : 1);
    if (payload.length !== expected) {
      throw new GradscopeError(
        'malformed-message',
        `Metrics of ${String(count)} rows should hold ${String(expected)} values, but ` +
          `they hold ${String(payload.length)}.`,
      );
    }
    if (firstStep <= length) {
      this.timesRewritten += 1;
      this.steps.cutTo(firstStep - 1);
      this.pastSteps = Math.min(this.pastSteps, firstStep - 1);
    }
    if (stride > 1) this.steps.beginWithMeans(count, stride, payload);
    else this.steps.append(count, (row, column) => payload[column * count + row] ?? Number.NaN);
    this.notify();
  }

  /** The weights are others since that step: what was measured up to it stays the run's past, and is not what is now. */
  weightsReplaced(afterStep: number): void {
    this.pastSteps = Math.min(afterStep, this.length);
    this.notify();
  }

  /** Steps at the beginning that are of weights which were replaced since. */
  get stepsOfOtherWeights(): number {
    return this.pastSteps;
  }

  /** Whether the newest step has trained the weights there are. */
  get isOfNow(): boolean {
    return this.length > this.pastSteps;
  }

  /** Finished steps. */
  get length(): number {
    return this.steps.length;
  }

  /** Another number once rows that were there are no more, or others. */
  get revision(): number {
    return this.timesRewritten;
  }

  get columnNames(): readonly string[] {
    return this.names;
  }

  /** One column, one value a step; empty when there is no such column. Valid until the next append. */
  column(name: string): StepSeries {
    const column = this.names.indexOf(name);
    return column < 0 ? NOTHING : this.steps.series(column);
  }

  /** Value of the newest step, or null before the first and until weights that were replaced have been trained. */
  last(name: string): number | null {
    return this.isOfNow ? (this.column(name).at(-1) ?? null) : null;
  }

  /** Value of a step, or of the newest where that one is not known yet; null as for `last`. @param step counted from 1 */
  at(name: string, step: number): number | null {
    const newest = Math.min(step, this.length);
    return newest > this.pastSteps ? (this.column(name).at(newest - 1) ?? null) : null;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}
