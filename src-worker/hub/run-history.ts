import type { Evaluation, TrainerMessage } from '../../src-shared/protocol/messages';
import { StepColumns, type StepRows } from '../../src-shared/tensor/step-columns';

type Message<T extends TrainerMessage['type']> = Extract<TrainerMessage, { type: T }>;

/** More come only when somebody poisons and mends the weights again and again. */
const MOST_NON_FINITES = 256;

/** What the lossless lane has said about a run, for clients that come later. */
export class RunHistory {
  readonly evaluations: Evaluation[] = [];
  /** The newest of them. */
  readonly nonFinites: Message<'nonFinite'>[] = [];
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

  met(nonFinite: Message<'nonFinite'>): void {
    this.nonFinites.push(nonFinite);
    if (this.nonFinites.length > MOST_NON_FINITES) this.nonFinites.shift();
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
