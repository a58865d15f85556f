import { GradscopeError } from '../../src-shared/protocol/errors';
import { shownFile } from '../../src-shared/text/file-name';
import {
  toWireNumber,
  type Ready,
  type Status,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';
import type { Port } from '../../src-shared/protocol/port';
import { nonFiniteCounts, nonFinitePlace } from '../../src-shared/text/non-finite';
import type { HeadlessRun } from './options';
import type { Output } from './output-file';
import type { Finished, Report } from './report';
import { TrainerClient } from './trainer-client';

/**
 * Trains one run to its end over a connection to a trainer, as a page would: nothing is watched, only the lossless lane
 * is heard.
 * @param output - takes the weights at the end; null: nobody wants them
 * @param say - what is worth a word beside the report, such as the first NaN.
 * @throws GradscopeError with the code of whatever was refused or failed; nothing is written then.
 */
export async function train(
  run: HeadlessRun,
  connect: () => Port,
  report: Report,
  output: Output | null,
  say: (sentence: string) => void,
): Promise<void> {
  const listener = new RunListener(run, report, say);
  const client = new TrainerClient(connect(), (message, payload) => {
    listener.receive(message, payload);
  });
  const heard = <T>(event: Promise<T>): Promise<T> => Promise.race([event, client.lost]);

  await heard(listener.ready);
  const { result } = await client
    .request('restart', { config: run.config, weightsFile: run.weights?.file ?? null }, run.weights?.bytes)
    .catch((error: unknown) => {
      throw namingFile(error, run);
    });
  if (result.remark !== undefined) say(result.remark);
  listener.follow(result.runId);
  await client.request('play', {});
  const finished = await heard(listener.finished);
  if (output !== null) {
    const { payload } = await client.request('saveWeights', {});
    for (const sentence of await output.write(payload)) say(sentence);
  }
  report.done(finished);
  if (run.saveTo !== null) report.saved(run.saveTo);
}

/** What the trainer says of an order does not know from which file it came. */
function namingFile(error: unknown, run: HeadlessRun): unknown {
  if (!(error instanceof GradscopeError) || error.code !== 'bad-order' || run.orderFile === null)
    return error;
  const sentence = error.message.replace(/^The order: /, '');
  return new GradscopeError(error.code, `${shownFile(run.orderFile)}: ${sentence}`, { cause: error });
}

/** Turns what the trainer says of one run into a report. */
class RunListener {
  /** There is a trainer with a run, though not ours yet. */
  readonly ready: Promise<void>;
  readonly finished: Promise<Finished>;
  private readonly run: HeadlessRun;
  private readonly report: Report;
  private readonly say: (sentence: string) => void;
  private tellReady: () => void = () => undefined;
  private tellFinished: (finished: Finished) => void = () => undefined;
  private tellFailed: (error: GradscopeError) => void = () => undefined;
  private latest: Ready | undefined;
  private runId: number | undefined;
  private begun = false;

  constructor(run: HeadlessRun, report: Report, say: (sentence: string) => void) {
    this.run = run;
    this.report = report;
    this.say = say;
    this.ready = new Promise((resolve) => {
      this.tellReady = resolve;
    });
    this.finished = new Promise((resolve, reject) => {
      this.tellFinished = resolve;
      this.tellFailed = reject;
    });
    // It may fail before anybody waits for it.
    this.finished.catch(() => undefined);
  }

  /** From now on only this run counts. */
  follow(runId: number): void {
    this.runId = runId;
    this.begin();
  }

  receive(message: TrainerMessage, payload: Uint8Array): void {
    if (message.type === 'ready') {
      this.latest = message;
      this.tellReady();
      this.begin();
      return;
    }
    if (!('runId' in message) || message.runId !== this.runId) return;
    switch (message.type) {
      case 'metrics':
        if (this.run.steps) this.steps(message.firstStep, message.count, payload);
        break;
      case 'evaluation':
        if (message.epoch !== null && message.runningLoss !== null) this.report.epoch(message.epoch, message);
        break;
      case 'nonFinite':
        this.say(
          `The first value that is not finite was met in ${nonFinitePlace(message)}: ${nonFiniteCounts(message)}.`,
        );
        break;
      case 'status':
        this.status(message);
        break;
      case 'engine':
        if (this.latest !== undefined) {
          const { engine, engineTable } = message;
          this.latest = { ...this.latest, engine, engineTable };
        }
        this.begin();
        break;
      case 'digit':
      case 'frame':
      case 'weightsReplaced':
        break;
    }
  }

  /**
   * The reply to restart and the new run's `ready` may come in either order, and what auto takes may be known only when all
   * engines are measured, which is before the first step.
   */
  private begin(): void {
    const { latest, run, report } = this;
    if (latest === undefined || latest.runId !== this.runId || this.begun) return;
    const isAuto = run.config.engine === 'auto';
    if (isAuto && latest.engineTable.length === 0) return;
    this.begun = true;
    report.began(latest, run.config);
    if (isAuto) report.engines(latest.engine.name, latest.engineTable);
  }

  private computedBy(): Pick<Finished, 'engine' | 'variant' | 'versions'> {
    if (this.latest === undefined) return { engine: 'unknown', variant: 'unknown', versions: {} };
    const { engine, trainer } = this.latest;
    const versions = { [trainer.name]: trainer.version, ...engine.versions };
    return { engine: engine.name, variant: engine.variant, versions };
  }

  private steps(firstStep: number, steps: number, payload: Uint8Array): void {
    const column = this.latest?.metricColumns.indexOf('loss') ?? -1;
    const values = new Float32Array(payload.slice().buffer);
    for (let i = 0; i < steps; i += 1) {
      this.report.step(firstStep + i, toWireNumber(values[column * steps + i] ?? Number.NaN));
    }
  }

  private status({ state, step, weightsSha256, failure }: Status): void {
    if (state === 'failed') {
      this.tellFailed(
        new GradscopeError(failure?.code ?? 'internal', failure?.message ?? 'The run failed without a word.'),
      );
    } else if (state === 'finished' && weightsSha256?.step === step) {
      this.tellFinished({ ...this.computedBy(), steps: step, weightsSha256: weightsSha256.value });
    }
  }
}
