import { type Evaluation, toWireNumber } from '../../src-shared/protocol/messages';
import { testSession, type TestProgress, type TestResult } from './evaluation';
import type { Run } from './run';
import type { StepRecord } from './session';

/** Images between two looks at the mailbox. */
const CHUNK = 50;
const WITHIN_EPOCH_EVERY = 300;
const WITHIN_EPOCH_EXAMPLES = 1000;
/** Share of the time of training that tests within an epoch may take. */
const WITHIN_EPOCH_MOST_SHARE = 0.01;
/** An initial test that would hold up Play for longer than this is left out. */
const INITIAL_MOST_MS = 5000;

type Kind = 'initial' | 'withinEpoch' | 'epoch';

interface TestUnderWay {
  readonly kind: Kind;
  readonly chunks: Generator<TestProgress, TestResult>;
  progress: number;
  spentMs: number;
}

export interface TestRunsParts {
  readonly run: Pick<Run, 'runId' | 'session' | 'meter' | 'stopAtStep'>;
  readonly send: (evaluation: Evaluation) => void;
  readonly now: () => number;
}

/**
 * Tests of one run: before its first step, every 300 steps on the first 1,000 test images, and on all of them at the end of
 * each epoch. A test goes chunk by chunk, and may stand still between two for as long as one likes: weights do not move.
 */
export class TestRuns {
  private readonly parts: TestRunsParts;
  private underWay: TestUnderWay | undefined;
  private due: Kind | undefined;
  private testedEpoch = 0;
  private msPerExample: number | undefined;
  private lastWithinAtMs = 0;
  private epochStart = { busyMs: 0, images: 0 };
  private images = 0;
  private lastStep: StepRecord | undefined;

  constructor(parts: TestRunsParts) {
    this.parts = parts;
    // A run that ends after a number of steps is for comparing or measuring: nobody waits for its tests.
    if (parts.run.stopAtStep === null) this.due = 'initial';
  }

  /** Progress of the test under way, 0..1; null without one. */
  get progress(): number | null {
    return this.underWay?.progress ?? null;
  }

  /** Whether the test before the first step is still to come. */
  get isInitialDue(): boolean {
    return this.due === 'initial';
  }

  /** Whether a test has to be run before training goes on; the initial one is only hoped for. */
  get isDue(): boolean {
    return this.due === 'withinEpoch' || this.endsEpoch;
  }

  /** Whether the test that belongs to the end of the epoch is still to come. */
  get endsEpoch(): boolean {
    const { session } = this.parts.run;
    if (session.epochDone && this.testedEpoch < session.epoch) this.replaceBy('epoch');
    return this.due === 'epoch';
  }

  /** Training goes on past step 0 without its test, as a single step was asked for or it would take too long. */
  skipInitial(): void {
    if (this.due === 'initial') this.drop();
  }

  /** Whether the initial test can be finished before the first step without holding it up for long. */
  get initialIsShort(): boolean {
    const { test } = this.parts.run.session.dataset;
    const left = test.count * (1 - (this.underWay?.progress ?? 0));
    return this.msPerExample === undefined || this.msPerExample * left <= INITIAL_MOST_MS;
  }

  stepFinished(record: StepRecord, images: number): void {
    this.lastStep = record;
    this.images += images;
  }

  /** Whether a test within the epoch has become due by the last step; it never takes more than a hundredth of the time. */
  takeUpWithinEpoch(): boolean {
    const { session, meter } = this.parts.run;
    if (session.stepInEpoch % WITHIN_EPOCH_EVERY !== 0 || session.epochDone) return false;
    const sinceMs = meter.busy - this.lastWithinAtMs;
    const examples = Math.min(WITHIN_EPOCH_EXAMPLES, session.dataset.test.count);
    if ((this.msPerExample ?? 0) * examples > WITHIN_EPOCH_MOST_SHARE * sinceMs) return false;
    this.due = 'withinEpoch';
    return true;
  }

  /** Weights were set by hand: a test that has begun is of no weights at all, and begins again. */
  weightsChanged(): void {
    this.abort();
  }

  /** The run goes on on another engine: a test that has begun begins again, and takes another time. */
  engineChanged(): void {
    this.abort();
    this.msPerExample = undefined;
  }

  /** Does the next chunk of the due test. True when that was the last one. */
  nextChunk(): boolean {
    if (this.due === undefined) return true;
    this.underWay ??= this.begin(this.due);
    const test = this.underWay;
    const begin = this.parts.now();
    const next = test.chunks.next();
    test.spentMs += this.parts.now() - begin;
    if (next.done === true) {
      this.finish(test, next.value);
      return true;
    }
    const { done, total } = next.value;
    test.progress = done / total;
    this.msPerExample = test.spentMs / done;
    return false;
  }

  /** Gives up what is under way and frees its buffers. */
  dispose(): void {
    this.abort();
  }

  private begin(kind: Kind): TestUnderWay {
    const examples = kind === 'withinEpoch' ? { examples: WITHIN_EPOCH_EXAMPLES } : {};
    const chunks = testSession(this.parts.run.session, { chunk: CHUNK, ...examples });
    return { kind, chunks, progress: 0, spentMs: 0 };
  }

  private finish({ kind }: TestUnderWay, { loss, accuracy, examples }: TestResult): void {
    const { run, send } = this.parts;
    const { session, meter } = run;
    const lastStep = kind === 'epoch' ? this.lastStep : undefined;
    const trainedMs = meter.busy - this.epochStart.busyMs;
    const trainedImages = this.images - this.epochStart.images;
    this.underWay = undefined;
    this.due = undefined;
    if (kind === 'withinEpoch') this.lastWithinAtMs = meter.busy;
    if (kind === 'epoch') {
      this.testedEpoch = session.epoch;
      this.epochStart = { busyMs: meter.busy, images: this.images };
    }
    send({
      type: 'evaluation',
      runId: run.runId,
      step: session.step,
      epoch: kind === 'initial' ? 0 : kind === 'epoch' ? session.epoch : null,
      loss: toWireNumber(loss),
      accuracy,
      examples,
      runningLoss: lastStep === undefined ? null : toWireNumber(lastStep.runningLoss),
      runningAccuracy: lastStep?.runningAccuracy ?? null,
      imagesPerSecond: kind === 'epoch' && trainedMs > 0 ? trainedImages / (trainedMs / 1000) : null,
    });
  }

  private replaceBy(kind: Kind): void {
    if (this.due === kind) return;
    this.abort();
    this.due = kind;
  }

  private drop(): void {
    this.abort();
    this.due = undefined;
  }

  private abort(): void {
    // The return value is of no use; what matters is that the pass is freed.
    this.underWay?.chunks.return({ loss: NaN, accuracy: NaN, examples: 0 });
    this.underWay = undefined;
  }
}
