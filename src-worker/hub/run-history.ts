import type { Evaluation, TrainerMessage, WeightsReplaced } from '../../src-shared/protocol/messages';
import { MOST_EVALUATIONS, MOST_NON_FINITES, MOST_REPLACEMENTS } from '../../src-shared/protocol/limits';
import { StepColumns, type StepRows } from '../../src-shared/tensor/step-columns';

type Message<T extends TrainerMessage['type']> = Extract<TrainerMessage, { type: T }>;

/** What the lossless lane has said about a run, for clients that come later. */
export class RunHistory {
  /** Tests and changes of weights, as they came: a test before a change is of other weights than one after it. */
  private said: (Evaluation | WeightsReplaced)[] = [];
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

  get events(): readonly (Evaluation | WeightsReplaced)[] {
    return this.said;
  }

  evaluated(evaluation: Evaluation): void {
    this.said.push(evaluation);
    this.keepNewest('evaluation', MOST_EVALUATIONS);
  }

  /** Of several changes one after the other the last is kept, and a file rather than what was set by hand after it. */
  weightsReplaced(replaced: WeightsReplaced): void {
    const last = this.said.at(-1);
    const follows = last?.type === 'weightsReplaced' && last.step === replaced.step;
    if (!follows) this.said.push(replaced);
    else if (replaced.source === 'file' || last.source === 'value')
      this.said[this.said.length - 1] = replaced;
    this.keepNewest('weightsReplaced', MOST_REPLACEMENTS);
  }

  private keepNewest(type: (Evaluation | WeightsReplaced)['type'], most: number): void {
    const all = this.said.filter((event) => event.type === type);
    if (all.length > most) this.said = this.said.filter((event) => event !== all[0]);
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
