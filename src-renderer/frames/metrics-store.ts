import { GradscopeError } from '../../src-shared/protocol/errors';

const FIRST_CAPACITY = 4096;

/**
 * What every step of the run measured, column by column, nothing left out. Row i belongs to step i + 1.
 * Columns are those that `ready` names: `loss`, `runningAccuracy`, `gradientNorm:conv1`, ...
 */
export class MetricsStore {
  private columns = new Map<string, Float32Array>();
  private rows = 0;
  private timesRewritten = 0;
  private readonly listeners = new Set<() => void>();

  /** Starts over with these columns and no rows. */
  reset(columns: readonly string[]): void {
    this.columns = new Map(columns.map((name) => [name, new Float32Array(FIRST_CAPACITY)]));
    this.rows = 0;
    this.timesRewritten += 1;
    this.notify();
  }

  /**
   * Adds the rows of steps `firstStep` .. `firstStep + count - 1`; rows that are there already are replaced and what
   * came after them is forgotten (the run went back).
   * @param payload column after column, `count` values each.
   * @throws GradscopeError `malformed-message` when steps are missing in between or the size is wrong.
   */
  append(firstStep: number, count: number, payload: Float32Array): void {
    if (firstStep < 1 || firstStep > this.rows + 1) {
      throw new GradscopeError(
        'malformed-message',
        `Metrics should go on from step ${String(this.rows + 1)}, but they start at step ${String(firstStep)}.`,
      );
    }
    if (payload.length !== count * this.columns.size) {
      throw new GradscopeError(
        'malformed-message',
        `Metrics of ${String(count)} steps should hold ${String(count * this.columns.size)} values, ` +
          `but they hold ${String(payload.length)}.`,
      );
    }
    const start = firstStep - 1;
    if (start < this.rows) this.timesRewritten += 1;
    let index = 0;
    for (const [name, values] of this.columns) {
      const target = withRoomFor(values, start + count);
      target.set(payload.subarray(index * count, (index + 1) * count), start);
      if (target !== values) this.columns.set(name, target);
      index += 1;
    }
    this.rows = start + count;
    this.notify();
  }

  /** Finished steps. */
  get length(): number {
    return this.rows;
  }

  /** Another number once rows that were there are no more, or others. */
  get revision(): number {
    return this.timesRewritten;
  }

  get columnNames(): readonly string[] {
    return [...this.columns.keys()];
  }

  /** A view of one column, one value a step; empty when there is no such column. Valid until the next append. */
  column(name: string): Float32Array {
    return this.columns.get(name)?.subarray(0, this.rows) ?? new Float32Array(0);
  }

  /** Value of the newest step, or null before the first. */
  last(name: string): number | null {
    if (this.rows === 0) return null;
    return this.columns.get(name)?.[this.rows - 1] ?? null;
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

/** Doubles, so that a run of n steps copies O(n) values in all. */
function withRoomFor(values: Float32Array, length: number): Float32Array {
  if (length <= values.length) return values;
  const larger = new Float32Array(Math.max(length, values.length * 2));
  larger.set(values);
  return larger;
}
