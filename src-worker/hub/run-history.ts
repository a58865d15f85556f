import type { Evaluation, TrainerMessage } from '../../src-shared/protocol/messages';

type Message<T extends TrainerMessage['type']> = Extract<TrainerMessage, { type: T }>;

const FIRST_CAPACITY = 1024;

/** What the lossless lane has said about a run, for clients that come later. */
export class RunHistory {
  readonly evaluations: Evaluation[] = [];
  nonFinite: Message<'nonFinite'> | undefined;
  private columns: Float32Array<ArrayBuffer>[];
  private steps = 0;

  /** @param columnCount metric columns of the run */
  constructor(columnCount: number) {
    this.columns = Array.from({ length: columnCount }, () => new Float32Array(FIRST_CAPACITY));
  }

  /** Steps whose metrics are known, counted from step 1. */
  get length(): number {
    return this.steps;
  }

  /** @param rows one row of all columns a step, following on what is known */
  append(rows: Float32Array): void {
    const width = this.columns.length;
    const count = rows.length / width;
    this.reserve(this.steps + count);
    this.columns.forEach((column, c) => {
      for (let row = 0; row < count; row += 1) column[this.steps + row] = rows[row * width + c]!;
    });
    this.steps += count;
  }

  /** Column after column for the steps from `firstStep` (counted from 1) on: the payload of `metrics`. */
  payload(firstStep: number): Uint8Array {
    const count = this.steps - firstStep + 1;
    const values = new Float32Array(count * this.columns.length);
    this.columns.forEach((column, c) => {
      values.set(column.subarray(firstStep - 1, this.steps), c * count);
    });
    return new Uint8Array(values.buffer);
  }

  private reserve(steps: number): void {
    const capacity = this.columns[0]?.length ?? 0;
    if (steps <= capacity) return;
    const grown = Math.max(steps, capacity * 2);
    this.columns = this.columns.map((column) => {
      const longer = new Float32Array(grown);
      longer.set(column.subarray(0, this.steps));
      return longer;
    });
  }
}
