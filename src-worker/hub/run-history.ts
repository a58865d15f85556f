import type { Evaluation, TrainerMessage } from '../../src-shared/protocol/messages';
import { StepColumns, type StepRows } from '../../src-shared/tensor/step-columns';

type Message<T extends TrainerMessage['type']> = Extract<TrainerMessage, { type: T }>;

/** What the lossless lane has said about a run, for clients that come later. */
export class RunHistory {
  readonly evaluations: Evaluation[] = [];
  nonFinite: Message<'nonFinite'> | undefined;
  private readonly steps: StepColumns;
  private readonly width: number;

  /** @param columnCount metric columns of the run */
  constructor(columnCount: number) {
    this.width = columnCount;
    this.steps = new StepColumns(columnCount);
  }

  /** @param rows one row of all columns a step, following on what is known */
  append(rows: Float32Array): void {
    const { width } = this;
    this.steps.append(rows.length / width, (row, column) => rows[row * width + column] ?? Number.NaN);
  }

  /** The steps from `firstStep` (counted from 1) on. */
  from(firstStep: number): StepRows {
    return this.steps.rowsFrom(firstStep);
  }

  /** Everything: of a long run the steps of long ago as means. */
  all(): StepRows[] {
    return this.steps.all();
  }
}
