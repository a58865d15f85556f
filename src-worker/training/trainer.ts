import { availableParallelism } from 'node:os';
import type { EngineChoice, Mode } from '../../src-shared/model/run-config';
import type { WeightsReplaced } from '../../src-shared/protocol/messages';
import type { Position } from '../../src-shared/model/phases';
import type { Dataset } from '../data/dataset';
import { choiceOf, type DigitChoice } from '../probe/digit';
import { Publisher } from '../probe/publisher';
import type { EngineChoices } from './engine-choice';
import { EngineSwitch } from './engine-switch';
import { BlockingGate, type GateHost } from './gate';
import { ImperativeLoop } from './imperative-loop';
import type { TrainingLoop } from './loop';
import type { Mailbox } from './mailbox';
import { MetricsLane } from './metrics';
import { unpacked } from './packed-order';
import { ProofBook } from './proof';
import { type Reply, type RequestContext, serveRequest } from './requests';
import { createRun, disposeRun, type Run, type RunRequest } from './run';
import { type ClientId, RunControl } from './run-control';
import { describeDigit, describeEngine, describeRun } from './run-description';
import type { StepRecord } from './session';
import { StepEffects } from './step-effects';
import { StatusLane } from './status';
import { TestRuns } from './test-runs';
import { ThreadChoice } from './thread-choice';
import {
  failureOf,
  HUB,
  type RequestCommand,
  type ThreadCommand,
  type ThreadMessage,
} from './thread-messages';

export interface TrainerParts {
  readonly mailbox: Mailbox<ThreadCommand>;
  readonly send: (message: ThreadMessage, transfer?: readonly ArrayBuffer[]) => void;
  /** @throws GradscopeError `bad-dataset` */
  readonly openDataset: () => Dataset;
  readonly engines: EngineChoices;
  readonly firstRunId: number;
  /** ms of a clock that only goes forward */
  readonly now: () => number;
  /** ms since 1970 */
  readonly wallClock: () => number;
}

/** The run that is there, and everything that lives as long as it does. */
interface Active {
  readonly run: Run;
  readonly tests: TestRuns;
  readonly effects: StepEffects;
  /** Null: the engine leaves no choice. */
  readonly threads: ThreadChoice | null;
  readonly loops: Readonly<Record<Mode, () => TrainingLoop | Promise<TrainingLoop>>>;
}

/** While it runs, training gets so many times the time that was spent on a request before the next is served, */
const TRAINING_PER_SERVING = 9;
/** but of a long one no more than makes it this many ms, */
const MOST_PAUSE_MS = 50;
/** and never less than so many times. */
const LEAST_TRAINING_PER_SERVING = 3;

/** Nor less than this many ms: what is done and said outside of this thread for the shortest request takes as long as that. */
const LEAST_PAUSE_MS = 4;
/** Bytes of an answer for which it gets a ms: other threads and processes carry them, on the same processors. */
const ANSWER_BYTES_PER_MS = 10_000;

const pauseAfter = (servedMs: number): number =>
  Math.max(
    LEAST_PAUSE_MS,
    LEAST_TRAINING_PER_SERVING * servedMs,
    Math.min(TRAINING_PER_SERVING * servedMs, MOST_PAUSE_MS),
  );

/** In place of an engine: all of them are measured. */
const MEASURED_ANEW = Symbol('measured anew');

/** A new run, or another engine for the one that is there. */
interface Wanted {
  readonly what: { readonly request: RunRequest } | { readonly engine: EngineChoice | typeof MEASURED_ANEW };
  readonly reply: Reply;
  /** Where the current run stands inside a minibatch; null when it does not. */
  readonly stoodAt: Position | null;
}

/**
 * The training thread: goes from minibatch to minibatch through the loops, tests in between, and serves at every gate what
 * the clients want. It is synchronous; only opening an engine and fit() itself are awaited.
 */
export class Trainer implements GateHost<ThreadCommand>, RequestContext {
  readonly control = new RunControl();
  readonly publisher: Publisher;
  readonly status: StatusLane;
  private readonly parts: TrainerParts;
  private readonly gate: BlockingGate<ThreadCommand>;
  private readonly metrics: MetricsLane;
  private readonly engineSwitch: EngineSwitch;
  private data: Dataset | undefined;
  private active: Active | undefined;
  private wanted: Wanted | undefined;
  private lastRunId: number;
  private digit: DigitChoice = { testIndex: 0 };
  private inLoop = false;
  /** Nothing else is to be done at the moment, so the engines may be measured. */
  private idling = false;
  private closing = false;
  private beganAtMs = -Infinity;
  /** When the next request is served, if training runs. */
  private nextServedAtMs = -Infinity;

  constructor(parts: TrainerParts) {
    this.parts = parts;
    this.lastRunId = parts.firstRunId - 1;
    const { send, now } = parts;
    this.gate = new BlockingGate(this.control, parts.mailbox, this);
    this.publisher = new Publisher(
      {
        layout: (client, layout) => {
          send({ type: 'layout', client, layout });
        },
        frame: (client, head, payload) => {
          // What was measured of a step is there when its picture is.
          this.metrics.flush();
          send({ type: 'frame', client, head, payload });
        },
      },
      parts.wallClock,
    );
    this.metrics = new MetricsLane((firstStep, rows) => {
      send({ type: 'metrics', firstStep, rows }, [rows.buffer]);
    }, now);
    this.engineSwitch = new EngineSwitch({
      engines: parts.engines,
      leave: () => {
        this.leaveEngine();
      },
      settled: (run) => {
        this.engineSettled(run);
      },
    });
    const proofs = new ProofBook();
    this.status = new StatusLane({
      control: this.control,
      proofs,
      now,
      send: (status) => {
        this.tell(status);
      },
    });
  }

  /** Trains, stands and serves until it is told to close. */
  async main(): Promise<void> {
    while (!this.closing) {
      if (this.wanted !== undefined) await this.takeUp(this.wanted);
      else {
        this.control.left();
        if (this.active === undefined || this.control.ended !== undefined) this.gate.standStill();
        else await this.advance(this.active);
      }
    }
    await this.engineSwitch.giveUp();
    if (this.active !== undefined) this.dispose(this.active, undefined);
  }

  // ---------------------------------------------------------------- the way of a run

  /** The next thing to do for the run: a test, its end, or training up to the next reason to come back here. */
  private async advance({ run, tests, loops }: Active): Promise<void> {
    const { session } = run;
    const { idling } = this;
    this.idling = false;
    try {
      run.mode = run.wantedMode;
      if (run.choosing && (idling || this.control.going)) await this.choose(run);
      else if (tests.isDue || (tests.isInitialDue && this.control.runningOn)) this.test(run, tests);
      else if (session.runDone || session.step === run.stopAtStep) this.control.end('finished');
      else {
        const loop = await loops[run.mode]();
        this.inLoop = true;
        await loop.run();
      }
    } catch (error) {
      this.fail(run, error);
    } finally {
      this.inLoop = false;
    }
  }

  /** Before the first step, or as long as nobody wants anything: looks which engine is the fastest, and moves the run to it. */
  private async choose(run: Run): Promise<void> {
    await this.engineSwitch.choose(run, () => {
      if (this.control.going) return this.gate.betweenChunks() === 'go';
      return !this.parts.mailbox.hasMail();
    });
  }

  private test(run: Run, tests: TestRuns): void {
    run.meter.stopped();
    const { endsEpoch } = tests;
    if (endsEpoch) this.status.seal(run);
    for (let done = false; !done; ) {
      if (this.gate.betweenChunks() === 'leave') return;
      done = tests.nextChunk();
      this.status.testing = tests.progress;
      this.status.tellNowAndThen(run);
    }
    if (endsEpoch) this.control.epochEnded();
  }

  private stepFinished({ run, tests }: Active, record: StepRecord): void {
    this.metrics.add(record);
    run.kernelHistory.stepFinished();
    this.publisher.changed();
    tests.stepFinished(record, run.session.minibatch?.indices.length ?? 0);
    const isTestDue = this.control.runningOn && tests.takeUpWithinEpoch();
    if (isTestDue || record.step === run.stopAtStep) this.control.leave('atBoundary');
  }

  private fail(run: Run, error: unknown): void {
    this.status.failure = failureOf(error);
    this.control.end('failed');
    this.status.tell(run);
  }

  private async takeUp({ what, reply, stoodAt }: Wanted): Promise<void> {
    this.wanted = undefined;
    try {
      if ('engine' in what) await this.moveTo(what.engine, stoodAt, reply);
      else await this.restartAs(what.request, reply);
    } catch (error) {
      this.control.left();
      if (stoodAt !== null) this.control.goBackTo(stoodAt);
      reply(failureOf(error));
    }
  }

  private async moveTo(
    choice: EngineChoice | typeof MEASURED_ANEW,
    stoodAt: Position | null,
    reply: Reply,
  ): Promise<void> {
    const { active } = this;
    if (active !== undefined) {
      if (choice === MEASURED_ANEW) await this.engineSwitch.measureAnew(active.run);
      else await this.engineSwitch.to(active.run, choice);
    }
    this.control.left();
    if (stoodAt !== null) this.control.gaveUp();
    reply({});
  }

  private async restartAs(request: RunRequest, reply: Reply): Promise<void> {
    const { active, digit } = this;
    const { engines, now } = this.parts;
    const surroundings = { dataset: this.dataset(), digit, engines, now };
    const run = await createRun(this.lastRunId + 1, request, surroundings, active?.run);
    this.control.left();
    await this.engineSwitch.giveUp();
    if (active !== undefined) this.dispose(active, run);
    this.begin(run, reply);
  }

  private begin(run: Run, reply: Reply): void {
    this.lastRunId = run.runId;
    this.idling = false;
    const { now } = this.parts;
    const send = this.tell.bind(this);
    this.active = this.surround(run, new TestRuns({ run, now, send }));
    this.metrics.flush();
    this.status.newRun();
    this.parts.send({ type: 'run', run: describeRun(run) });
    this.publisher.setSource(run);
    this.control.begin(() => {
      reply({ result: { runId: run.runId } });
    });
  }

  /** What computes on the engine that the run has now. */
  private surround(run: Run, tests: TestRuns): Active {
    const { session } = run;
    const { threads } = run.engine.engine;
    const onStep = (record: StepRecord): void => {
      this.stepFinished(active, record);
    };
    const active: Active = {
      run,
      tests,
      effects: new StepEffects({ engine: run.engine.engine, session, now: this.parts.now }),
      threads: threads === null ? null : new ThreadChoice(threads, availableParallelism()),
      loops: {
        imperative: once(() => new ImperativeLoop(session, this.gate, onStep)),
        // tfjs-layers takes a fifth of a second to load, and the first picture does not need it.
        fit: once(async () => {
          const { FitLoop } = await import('./fit-loop');
          return new FitLoop(session, this.gate, onStep, run.fitTime);
        }),
      },
    };
    return active;
  }

  private leaveEngine(): void {
    this.active?.tests.engineChanged();
    this.active?.effects.dispose();
    this.status.testing = null;
  }

  /** The run is on the engine that it says, which may be the one it was on. */
  private engineSettled(run: Run): void {
    if (this.active === undefined) return;
    if (run.engine.engine !== this.active.effects.engine) {
      run.fitTime.forget();
      this.active = this.surround(run, this.active.tests);
      this.status.weightsChanged();
      this.publisher.changed();
    }
    this.tell({ type: 'engine', choice: run.config.engine, ...describeEngine(run) });
    if (!run.session.inStep) this.status.seal(run);
    this.status.tell(run);
  }

  private dispose({ run, tests, effects }: Active, successor: Run | undefined): void {
    tests.dispose();
    effects.dispose();
    disposeRun(run, successor);
  }

  // ---------------------------------------------------------------- at the gates

  /** Standing, everything is served at once. Running, training gets its share of the time first (pauseAfter). */
  mayServe({ type }: ThreadCommand): boolean {
    if (this.control.standing || (type !== 'request' && type !== 'watch')) return true;
    return this.parts.now() >= this.nextServedAtMs;
  }

  private serveNotBefore(atMs: number): void {
    this.nextServedAtMs = Math.max(this.nextServedAtMs, atMs);
  }

  serve(command: ThreadCommand): void {
    const isTimed = !this.control.standing && (command.type === 'request' || command.type === 'watch');
    if (isTimed) {
      const { now } = this.parts;
      const beganAtMs = now();
      this.serveNow(command);
      const endedAtMs = now();
      this.serveNotBefore(endedAtMs + pauseAfter(endedAtMs - beganAtMs));
    } else this.serveNow(command);
    switch (command.type) {
      case 'request':
        if (command.client !== HUB)
          this.parts.send({ type: 'taken', client: command.client, what: 'request' });
        break;
      case 'watch':
      case 'credit':
      case 'visibility':
        this.parts.send({ type: 'taken', client: command.client, what: 'other' });
        break;
      case 'connect':
      case 'disconnect':
      case 'frameDropped':
      case 'close':
        break;
    }
  }

  private serveNow(command: ThreadCommand): void {
    const { publisher } = this;
    switch (command.type) {
      case 'connect':
        publisher.connect(command.client);
        break;
      case 'disconnect':
        publisher.disconnect(command.client);
        this.control.forget(command.client);
        break;
      case 'watch':
        publisher.watch(command.client, command.items);
        break;
      case 'credit':
        publisher.credit(command.client, command.count);
        break;
      case 'frameDropped':
        publisher.frameDropped(command.client);
        break;
      case 'visibility':
        publisher.setVisible(command.client, command.visible);
        break;
      case 'request':
        serveRequest(this, unpacked(command), this.replyTo(command));
        break;
      case 'close':
        this.closing = true;
        this.control.leave('atOnce');
        break;
    }
  }

  reached({ phase, layer }: Position): void {
    if (this.active === undefined) return;
    const { run, effects, threads } = this.active;
    run.layerAt = layer === null ? null : { phase, layer: run.session.plan.layers[layer]! };
    run.meter.reached(phase);
    this.tellNonFinite(run);
    if (phase === 'step' && layer === null) {
      run.meter.finishedStep(run.session.minibatch?.indices.length ?? 0);
      threads?.finishedStep(run.meter.stepMs);
      effects.stepFinished();
      this.publisher.publish('applied');
    }
    this.status.tellNowAndThen(run);
  }

  /** A run on auto is trained by the fastest engine from its first step on. */
  mayBegin(): boolean {
    return this.active?.run.choosing !== true;
  }

  began(): void {
    if (this.active === undefined) return;
    const { run, tests, threads } = this.active;
    threads?.setWatched(this.publisher.isWatched);
    tests.skipInitial();
    this.status.testing = tests.progress;
    run.meter.began();
    this.beganAtMs = this.parts.now();
  }

  stood(): void {
    if (this.active === undefined) return;
    const { run } = this.active;
    run.meter.stopped();
    this.metrics.flush();
    if (!run.session.inStep) this.status.seal(run);
    this.status.tell(run);
    this.publisher.stood();
  }

  went(): void {
    if (this.active === undefined) return;
    const { run } = this.active;
    if (run.session.inStep) run.meter.wentOn();
    this.status.tell(run);
  }

  publish(): void {
    this.publisher.publish(this.control.standing ? 'stands' : 'pause');
  }

  hasDrawn(client: ClientId): boolean {
    return this.publisher.hasDrawn(client);
  }

  /** The last step is measured, and the untrained network tested, while people look at it. */
  idle(): boolean {
    const { active } = this;
    if (active === undefined) return false;
    if (active.effects.idle(this.control.standing)) return true;
    if (this.mayChoose(active)) {
      this.idling = true;
      this.control.leave('atBoundary');
      return true;
    }
    if (this.control.ended !== undefined || !this.control.standing) return false;
    if (!active.tests.isInitialDue || active.run.session.inStep || !this.publisher.hasWatchers) return false;
    active.tests.nextChunk();
    this.status.testing = active.tests.progress;
    if (this.status.testing === null) this.status.tell(active.run);
    else this.status.tellNowAndThen(active.run);
    return true;
  }

  /** The first picture comes first, and the controller measures: engines are opened and made active there. */
  private mayChoose({ run }: Active): boolean {
    const { ended, standing, leaving } = this.control;
    if (!run.choosing || ended !== undefined || !standing || leaving !== undefined) return false;
    return this.inLoop && !run.session.inStep && this.publisher.hasShown;
  }

  due(): number {
    const { limit } = this.status;
    return limit === null ? 0 : this.beganAtMs + 1000 / limit;
  }

  // ---------------------------------------------------------------- for requests

  run(): Run | undefined {
    return this.active?.run;
  }

  dataset(): Dataset {
    this.data ??= this.parts.openDataset();
    return this.data;
  }

  restart(request: RunRequest, reply: Reply): void {
    this.want({ request }, reply);
  }

  switchEngine(engine: EngineChoice, reply: Reply): void {
    this.want({ engine }, reply);
  }

  measureEngines(reply: Reply): void {
    this.want({ engine: MEASURED_ANEW }, reply);
  }

  private want(what: Wanted['what'], reply: Reply): void {
    const run = this.active?.run;
    const isInside = run?.session.inStep === true && this.control.standing;
    const { phase = null, layer } = isInside ? run.place : {};
    const stoodAt = phase === null ? null : { phase, layer: layer?.index ?? null };
    this.wanted = { what, reply, stoodAt };
    this.control.leave('atOnce');
  }

  switchMode(run: Run): void {
    if (run.wantedMode === run.mode) return;
    if (this.inLoop) this.control.leave('atBoundary');
    else {
      run.mode = run.wantedMode;
      this.status.tell(run);
    }
  }

  playing(): void {
    const { active } = this;
    if (active === undefined) return;
    if (!active.tests.isInitialDue || active.run.session.inStep) return;
    // The controller comes back here and tests before the first step.
    if (!active.tests.initialIsShort) active.tests.skipInitial();
    else if (this.inLoop) this.control.leave('atBoundary');
  }

  weightsChanged(run: Run, source: WeightsReplaced['source'], name: string): void {
    run.proofKey = null;
    run.digit.weightsChanged();
    run.kernelHistory.weightsChanged();
    this.active?.tests.weightsChanged();
    this.status.testing = this.active?.tests.progress ?? null;
    this.tell({ type: 'weightsReplaced', runId: run.runId, step: run.session.step, source, name });
    this.status.weightsChanged();
    this.status.seal(run);
    this.status.tell(run);
    this.publisher.changed();
  }

  digitChosen(run: Run): void {
    this.digit = choiceOf(run.digit.chosen);
    this.parts.send({ type: 'digit', digit: describeDigit(run.digit.chosen) });
    this.publisher.changed();
  }

  measureStep(reply: Reply): void {
    this.active?.effects.ask(this.control.standing, reply);
  }

  // ----------------------------------------------------------------

  /** Nothing of the lossless lane overtakes the metrics of the steps before it. */
  private tell(message: ThreadMessage): void {
    this.metrics.flush();
    this.parts.send(message);
  }

  private tellNonFinite(run: Run): void {
    const { nonFinite } = run.session;
    if (run.nonFiniteTold === nonFinite) return;
    run.nonFiniteTold = nonFinite;
    if (nonFinite !== null) this.tell({ type: 'nonFinite', runId: run.runId, ...nonFinite });
  }

  private replyTo({ client, id }: RequestCommand): Reply {
    return (answered) => {
      const error = 'code' in answered ? { code: answered.code, message: answered.message } : null;
      const { result = {}, payload = null } = 'code' in answered ? {} : answered;
      const transfer = payload === null ? [] : [payload.buffer];
      this.metrics.flush();
      const carryingMs = Math.min((payload?.length ?? 0) / ANSWER_BYTES_PER_MS, MOST_PAUSE_MS);
      this.serveNotBefore(this.parts.now() + carryingMs);
      this.parts.send({ type: 'reply', client, id, error, result, payload }, transfer);
    };
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
