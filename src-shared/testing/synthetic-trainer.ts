import { decodePageMessage, encodeMessage } from '../protocol/decode';
import { GradscopeError, type ErrorCode } from '../protocol/errors';
import {
  type NonFinite,
  PROTOCOL_VERSION,
  REQUESTS,
  type PageMessage,
  type RequestName,
  type Slot,
  type Status,
  type TrainerMessage,
  type WatchItem,
} from '../protocol/messages';
import type { Port } from '../protocol/port';
import { planSlots, takePicture } from './synthetic-pictures';
import type { SyntheticRun } from './synthetic-run';
import { bytesOf, SyntheticSession } from './synthetic-session';

/** Calls back about every `ms` milliseconds until the function it returned is called. */
export type Ticker = (ms: number, callback: () => void) => () => void;

export interface SyntheticTrainerOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What makes it train while playing; tests leave it out and call `train` themselves. */
  readonly ticker?: Ticker;
  /** Finished steps to begin with. */
  readonly steps?: number;
  /** Steps a second when the speed is "flat out". */
  readonly flatOut?: number;
}

const TICK_MS = 16;
const STATUS_EVERY_MS = 250;
const FLAT_OUT = 240;

/** Requests that change nothing that can be seen. */
const SILENT: readonly RequestName[] = ['readTensor', 'saveWeights', 'kernelHistory'];

/**
 * The trainer's side of the protocol with made-up numbers: the page can be built, tested and photographed without a
 * worker. It trains only when told to (by its ticker or by `train`), so what it sends is the same every time.
 */
export class SyntheticTrainer {
  credits = 0;
  framesSent = 0;
  private readonly session: SyntheticSession;
  private readonly port: Port;
  private readonly options: SyntheticTrainerOptions;
  private readonly stopTicker: () => void;
  private greeted = false;
  private layoutId = 0;
  private items: readonly WatchItem[] = [];
  private slots: readonly Slot[] = [];
  private pictureIsDue = false;
  private skipped = 0;
  private owedSteps = 0;
  private metricsSent = 0;
  private evaluationsSent = 0;
  /** What was said of the first NaN or infinity. */
  private reported: NonFinite | null = null;
  private appliedAtMs: number;
  private statusSentAtMs = -Infinity;

  constructor(port: Port, options: SyntheticTrainerOptions) {
    this.port = port;
    this.options = options;
    this.appliedAtMs = options.now();
    this.session = new SyntheticSession(options.steps ?? 0, options.flatOut ?? FLAT_OUT);
    port.onMessage((raw) => {
      this.receive(raw);
    });
    this.stopTicker =
      options.ticker?.(TICK_MS, () => {
        this.tick();
      }) ?? (() => undefined);
    port.onClose(this.stopTicker);
  }

  get run(): SyntheticRun {
    return this.session.run;
  }

  /** Trains `steps` steps as if playing, whatever the state. */
  train(steps: number): void {
    this.session.train(steps);
    this.moved();
  }

  /** The process has gone. */
  die(code: ErrorCode = 'worker-died', message = 'The trainer died (signal SIGKILL).'): void {
    this.stopTicker();
    this.port.close({ code, message });
  }

  /** Stops with a failure of its own. */
  fail(code: ErrorCode, message: string): void {
    this.session.runState = 'failed';
    this.sendStatus({ code, message });
  }

  private tick(): void {
    const { session } = this;
    if (session.runState !== 'running') return;
    const perSecond = session.stepsPerSecond;
    this.owedSteps = Math.min(this.owedSteps + (perSecond * TICK_MS) / 1000, perSecond);
    const steps = Math.floor(this.owedSteps);
    this.owedSteps -= steps;
    if (steps > 0) this.train(steps);
  }

  /** Everything that follows a change: metrics, the picture, the status. */
  private moved(): void {
    this.appliedAtMs = this.options.now();
    this.sendMetrics();
    this.reportNonFinite();
    if (this.pictureIsDue && this.items.length > 0) this.skipped += 1;
    this.pictureIsDue = true;
    this.sendFrame();
    // As the protocol says: at every change of state, and about four times a second while running.
    const isRunning = this.session.runState === 'running';
    if (!isRunning || this.appliedAtMs - this.statusSentAtMs >= STATUS_EVERY_MS) this.sendStatus(null);
  }

  private receive(raw: unknown): void {
    try {
      const { message, payload } = decodePageMessage(raw);
      this.handle(message, payload);
    } catch (error) {
      const { code, message } = asGradscopeError(error);
      this.send({ type: 'goodbye', code, message });
      this.die(code, message);
    }
  }

  private handle(message: PageMessage, payload: Uint8Array): void {
    switch (message.type) {
      case 'hello':
        if (message.protocol !== PROTOCOL_VERSION) {
          const expected = `This trainer speaks protocol ${String(PROTOCOL_VERSION)}`;
          throw new GradscopeError(
            'wrong-protocol',
            `${expected}, but the page speaks ${String(message.protocol)}.`,
          );
        }
        this.welcome();
        break;
      case 'watch':
        this.watch(message.items);
        break;
      case 'credit':
        this.credits += message.count;
        this.sendFrame();
        break;
      case 'visibility':
        break;
      case 'request':
        this.answer(message, payload);
        break;
    }
  }

  private answer(message: Extract<PageMessage, { type: 'request' }>, payload: Uint8Array): void {
    const { id, method } = message;
    try {
      if (!(method in REQUESTS)) {
        throw new GradscopeError('unknown-command', `There is no command ${method}.`);
      }
      const name = method as RequestName;
      const params = REQUESTS[name][0].parse(message.params);
      const { result = {}, payload: reply } = this.session.perform(name, params, payload);
      this.port.send(encodeMessage({ type: 'reply', id, error: null, result }, reply));
      if (name === 'setEngine' || name === 'measureEngines') {
        this.send(this.session.engineMessage());
      }
      if (name === 'loadWeights' || name === 'setWeight') {
        const source = name === 'loadWeights' ? 'file' : 'value';
        const called = 'fileName' in params ? params.fileName : 'name' in params ? params.name : '';
        const { runId } = this.session;
        this.send({ type: 'weightsReplaced', runId, step: this.run.step, source, name: called });
      }
      if (name === 'restart') this.welcome();
      else if (!SILENT.includes(name)) {
        this.statusSentAtMs = -Infinity;
        this.moved();
      }
    } catch (error) {
      const { code, message: sentence } = asGradscopeError(error);
      this.send({ type: 'reply', id, error: { code, message: sentence }, result: {} });
    }
  }

  /** What a page hears first, and at the beginning of each run. */
  private welcome(): void {
    this.greeted = true;
    this.metricsSent = 0;
    this.evaluationsSent = 0;
    this.skipped = 0;
    this.reported = null;
    this.send(this.session.ready(this.options.now()));
    this.sendMetrics();
    this.sendStatus(null);
    if (this.items.length > 0) this.watch(this.items);
  }

  private watch(items: readonly WatchItem[]): void {
    this.slots = planSlots(this.run.plan, items);
    this.items = items;
    this.layoutId += 1;
    this.send({ type: 'layout', layoutId: this.layoutId, slots: [...this.slots] });
    this.pictureIsDue = true;
    this.sendFrame();
  }

  private sendFrame(): void {
    if (this.credits === 0 || !this.pictureIsDue || this.slots.length === 0) return;
    this.credits -= 1;
    this.framesSent += 1;
    this.pictureIsDue = false;
    const { values, states } = takePicture(this.run, this.slots);
    const { step, phase } = this.run;
    const { layoutId, appliedAtMs, skipped } = this;
    const { runId } = this.session;
    this.skipped = 0;
    const head = {
      type: 'frame',
      runId,
      layoutId,
      step,
      phase,
      layer: null,
      example: null,
      appliedAtMs,
      skipped,
      slots: states,
    } as const;
    this.port.send(encodeMessage(head, bytesOf(values)));
  }

  /** The lossless lane: every step and every test that was not told yet. */
  private sendMetrics(): void {
    if (!this.greeted) return;
    const rows = this.run.rows.slice(this.metricsSent);
    if (rows.length > 0) {
      const columns = this.run.columns().length;
      const values = new Float32Array(rows.length * columns);
      rows.forEach((row, r) => {
        row.forEach((value, c) => {
          values[c * rows.length + r] = value;
        });
      });
      const { runId } = this.session;
      const firstStep = this.metricsSent + 1;
      const head = { type: 'metrics', runId, firstStep, count: rows.length, stride: 1 } as const;
      this.port.send(encodeMessage(head, bytesOf(values)));
      this.metricsSent += rows.length;
    }
    for (const evaluation of this.session.evaluations.slice(this.evaluationsSent)) this.send(evaluation);
    this.evaluationsSent = this.session.evaluations.length;
  }

  private reportNonFinite(): void {
    const found = this.run.firstNonFinite();
    if (found === null) this.reported = null;
    if (found === null || this.reported !== null || !this.run.insideStep) return;
    const { name: tensor, nan, infinite } = found;
    const layer = tensor.slice(0, tensor.lastIndexOf('.'));
    const place = { step: this.run.step + 1, phase: 'forward', layer, tensor, kind: 'weight' } as const;
    this.reported = { ...place, nan, infinite };
    this.send({ type: 'nonFinite', runId: this.session.runId, ...this.reported });
  }

  private sendStatus(failure: Status['failure']): void {
    this.statusSentAtMs = this.options.now();
    this.send({ ...this.session.status(failure), nonFinite: this.reported });
  }

  private send(message: TrainerMessage): void {
    this.port.send(message);
  }
}

const asGradscopeError = (error: unknown): GradscopeError =>
  error instanceof GradscopeError ? error : new GradscopeError('internal', String(error));
