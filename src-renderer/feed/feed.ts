import { decodeTrainerMessage, type Received } from '../../src-shared/protocol/decode';
import { GradscopeError } from '../../src-shared/protocol/errors';
import {
  INITIAL_CREDITS,
  PROTOCOL_VERSION,
  type FrameHead,
  type PageMessage,
  type Ready,
  type RequestName,
  type RequestParams,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';
import type { Port } from '../../src-shared/protocol/port';
import type { FrameStore } from '../frames/frame-store';
import type { MetricsStore } from '../frames/metrics-store';
import {
  addEvaluation,
  addNonFinite,
  addReplacement,
  beginRun,
  setConnection,
  setDigit,
  setEngine,
  setRates,
  setSilence,
  setStatus,
  setExample,
  weightsMeasured,
} from '../state/actions';
import { examplesUnderWay } from '../state/standing';
import type { Reply, RequestClient } from '../state/request-client';
import { appStore } from '../state/store';
import { bytesFromBase64 } from './base64';
import { clockOffset } from './clock';
import { closeReason, type CloseReason } from './closing';
import type { Connector } from './connector';
import { RateMeter } from './rates';
import { Requests } from './requests';
import { SilenceMeter } from './silence';
import { saliencyItems, watchList } from './watch-list';

export interface FeedOptions {
  readonly connect: Connector;
  readonly frames: FrameStore;
  readonly metrics: MetricsStore;
  /** Says when the credit of a drawn picture may go back. */
  readonly pace: { drawn(returnCredit: () => void): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** While training runs a status comes four times a second; one that is so late may not come at all. */
const STATUS_LATE_MS = 1000;

/**
 * The page's end of the protocol: what the trainer says goes to the stores, what is drawn goes back as credits. A
 * connection that is lost stays lost, with its reason on the screen, until `connect` is called again.
 */
export class Feed implements RequestClient {
  private readonly options: FeedOptions;
  private readonly requests = new Requests();
  private readonly rates = new RateMeter();
  private readonly silence = new SilenceMeter();
  private heardAtMs = 0;
  private statusText = '';
  private port: Port | null = null;
  private connecting: Promise<void> | null = null;
  private visible = true;
  private askedAtMs = 0;
  private measuredAtMs = Number.NEGATIVE_INFINITY;
  private clockOffsetMs = 0;
  private runId: number | null = null;
  private goodbye: CloseReason | null = null;
  /** Serial of the first picture that can show what the last request changed. */
  private awaitedSerial = 0;

  constructor(options: FeedOptions) {
    this.options = options;
    appStore.subscribe(({ view }, { view: before }) => {
      if (view.saliency !== before.saliency && this.runId !== null) this.watch();
    });
  }

  /** Nothing that was asked for is still to come. */
  get idle(): boolean {
    const isRunning = appStore.getState().status?.state === 'running';
    // While training runs, a step is measured when there is time for it, and then the next.
    const unhurried = isRunning ? this.requests.pendingOf('measureStep') : 0;
    return this.requests.pending === unhurried && this.connecting === null;
  }

  /** Resolves when the trainer has answered with a run; at once when it has. @throws GradscopeError when it cannot. */
  connect(): Promise<void> {
    if (this.port !== null) return Promise.resolve();
    this.connecting ??= this.open().finally(() => {
      this.connecting = null;
    });
    return this.connecting;
  }

  close(): void {
    this.port?.close();
  }

  async request<N extends RequestName>(
    name: N,
    params: RequestParams<N>,
    payload?: Uint8Array,
  ): Promise<Reply<N>> {
    const nextSerial = (this.options.frames.newest()?.serial ?? 0) + 1;
    const digit = appStore.getState().digit?.testIndex;
    const { view, status } = appStore.getState();
    const reply = await this.requests.request(name, params, payload);
    const changesPicture =
      name === 'loadWeights' ||
      (name === 'chooseExample' &&
        examplesUnderWay(status) !== null &&
        view.example !== (params as RequestParams<'chooseExample'>).example) ||
      name === 'drawDigit' ||
      (name === 'chooseDigit' && digit !== (params as RequestParams<'chooseDigit'>).testIndex);
    if (changesPicture) this.awaitedSerial = nextSerial;
    return reply;
  }

  /** Drawn since the page opened. */
  get pictures(): number {
    return this.rates.pictures;
  }

  /** How late pictures come (see RateMeter.latency). */
  latency(): ReturnType<RateMeter['latency']> {
    return this.rates.latency();
  }

  /**
   * Whether the picture on the screen is the newest there will be: of where training stands, and of what was asked for
   * last. While training runs there is always a newer one, so any will do; without a trainer none will come.
   */
  get pictureIsCurrent(): boolean {
    const { connection, status, view } = appStore.getState();
    if (connection.state === 'lost') return true;
    const picture = this.options.frames.latest();
    if (connection.state !== 'open' || status === null || picture === null) return false;
    if (status.state === 'running' || status.state === 'failed') return true;
    if (saliencyItems(view.saliency).some(({ name, kind }) => picture.slot(name, kind) === null))
      return false;
    // Taken while training ran, a picture may show the digit of some steps before; one of now follows.
    const digit = picture.slot('output', 'digitProbabilities');
    if (digit !== null && digit.state.step !== picture.step) return false;
    return (
      picture.step === status.step &&
      picture.phase === status.phase &&
      picture.layer === status.layer &&
      picture.serial >= this.awaitedSerial
    );
  }

  /** A hidden page draws nothing, and the trainer must not wait for it. */
  setVisible(visible: boolean): void {
    if (this.visible === visible) return;
    this.visible = visible;
    this.send({ type: 'visibility', visible });
  }

  /** To be called several times a second. Measures, if that was not done for so long: each status brings it along. */
  measureAfter(quietMs: number): void {
    setSilence(this.silence.tick(this.options.now(), this.isSomethingAwaited()));
    if (this.options.now() - this.measuredAtMs >= quietMs) this.measure();
  }

  private measure(): void {
    const nowMs = this.options.now();
    this.measuredAtMs = nowMs;
    const { status } = appStore.getState();
    const latest = this.options.frames.latest();
    const isOvertaken = status !== null && latest !== null && status.step > latest.step;
    // Nobody knows how far a trainer is that runs and says nothing.
    const isUnheard = status?.state === 'running' && nowMs - this.heardAtMs > STATUS_LATE_MS;
    setRates(this.rates.read(nowMs, isOvertaken || isUnheard, isUnheard ? this.heardAtMs : nowMs));
  }

  /** Whether a trainer that lives would say something: it greets, it runs, or it has promised to. */
  private isSomethingAwaited(): boolean {
    const { connection, ready, status } = appStore.getState();
    if (this.port === null || connection.state === 'lost') return false;
    return (
      connection.state === 'connecting' ||
      status?.state === 'running' ||
      typeof ready?.heartbeatMs === 'number'
    );
  }

  private heard(): void {
    this.heardAtMs = this.options.now();
    this.silence.heard();
    setSilence(0);
  }

  private async open(): Promise<void> {
    setConnection({ state: 'connecting', code: null, message: null });
    try {
      const port = await this.options.connect();
      await this.greet(port);
    } catch (error) {
      const { code, message } = asGradscopeError(error);
      setConnection({ state: 'lost', code, message });
      throw error;
    }
  }

  private greet(port: Port): Promise<void> {
    this.port = port;
    this.goodbye = null;
    this.runId = null;
    this.requests.open(port);
    this.heard();
    return new Promise((resolve, reject) => {
      port.onClose((reason) => {
        this.lost(port, this.goodbye ?? reason);
        reject(asError(this.goodbye ?? reason));
      });
      port.onMessage((raw) => {
        this.receive(port, raw);
        if (this.runId !== null) resolve();
      });
      this.askedAtMs = this.options.now();
      this.send({ type: 'hello', protocol: PROTOCOL_VERSION });
    });
  }

  private lost(port: Port, reason: CloseReason): void {
    if (this.port !== port) return;
    this.port = null;
    this.requests.close(reason);
    setConnection({ state: 'lost', ...reason });
  }

  private receive(port: Port, raw: unknown): void {
    if (this.port !== port) return;
    this.heard();
    try {
      this.dispatch(decodeTrainerMessage(raw));
    } catch (error) {
      // Whoever sends what the protocol does not know cannot be trusted to count credits either.
      const { code, message } = asGradscopeError(error);
      port.close(closeReason(code, message));
    }
  }

  private dispatch({ message, payload }: Received<TrainerMessage>): void {
    const { frames, metrics } = this.options;
    if ('runId' in message && message.type !== 'ready' && message.runId !== this.runId) {
      if (message.type === 'frame') this.returnCredit();
      return;
    }
    switch (message.type) {
      case 'ready':
        this.begin(message);
        break;
      case 'status': {
        // One that is said again is a sign of life and nothing to be drawn.
        const text = JSON.stringify(message);
        if (text !== this.statusText) setStatus(message);
        this.statusText = text;
        // What comes together is laid out together.
        this.measure();
        break;
      }
      case 'layout':
        frames.setLayout(message);
        break;
      case 'frame':
        this.show(message, floats(payload));
        break;
      case 'metrics':
        metrics.append(message.firstStep, message.count, floats(payload), message.stride);
        if (metrics.isOfNow) weightsMeasured();
        break;
      case 'evaluation':
        addEvaluation(message);
        break;
      case 'nonFinite': {
        const { step, phase, layer, tensor, kind, nan, infinite } = message;
        addNonFinite({ step, phase, layer, tensor, kind, nan, infinite });
        break;
      }
      case 'weightsReplaced':
        metrics.weightsReplaced(message.step);
        addReplacement(message);
        break;
      case 'digit': {
        const { testIndex, label, assumedLabel, pixels } = message;
        setDigit({ testIndex, label, assumedLabel, pixels: bytesFromBase64(pixels) });
        break;
      }
      case 'engine':
        setEngine(message);
        break;
      case 'reply':
        this.requests.settle(message, payload);
        break;
      case 'goodbye':
        this.goodbye = { code: message.code, message: message.message };
        break;
    }
  }

  private begin(ready: Ready): void {
    if (ready.protocol !== PROTOCOL_VERSION) {
      throw new GradscopeError(
        'wrong-protocol',
        `This page speaks protocol ${String(PROTOCOL_VERSION)}, but the trainer speaks ${String(ready.protocol)}.`,
      );
    }
    const { frames, metrics, now } = this.options;
    const isFirst = this.runId === null;
    if (isFirst) this.clockOffsetMs = clockOffset(this.askedAtMs, ready.clockMs, now());
    this.runId = ready.runId;
    this.rates.reset();
    this.statusText = '';
    frames.clear();
    metrics.reset(ready.metricColumns);
    beginRun(ready, { ...ready.digit, pixels: bytesFromBase64(ready.digit.pixels) });
    this.watch();
    if (!isFirst) return;
    // Another connection starts at the first example.
    setExample(0);
    this.send({ type: 'visibility', visible: this.visible });
    this.send({ type: 'credit', count: INITIAL_CREDITS });
  }

  private show(head: FrameHead, values: Float32Array): void {
    const { port } = this;
    this.rates.skipped(head.skipped);
    this.options.frames.put(head, values, () => {
      if (this.port !== port) return;
      const isShown = this.options.frames.latest()?.step === head.step;
      // What stands was computed when it came to stand, which may be long ago and says nothing of the picture.
      const isMoving = appStore.getState().status?.state === 'running';
      const appliedAtMs =
        isMoving && head.appliedAtMs !== null ? head.appliedAtMs - this.clockOffsetMs : null;
      if (isShown) this.rates.drawn(appliedAtMs, this.options.now());
      this.options.pace.drawn(() => {
        if (this.port === port) this.returnCredit();
      });
    });
  }

  /** Tells what the page looks at. */
  private watch(): void {
    const { plan, view } = appStore.getState();
    if (plan !== null) this.send({ type: 'watch', items: watchList(plan, saliencyItems(view.saliency)) });
  }

  private returnCredit(): void {
    this.send({ type: 'credit', count: 1 });
  }

  private send(message: PageMessage): void {
    this.port?.send(message);
  }
}

/** Envelopes put their payload at a multiple of 8 bytes, so this copies nothing. */
function floats(payload: Uint8Array): Float32Array {
  if (payload.byteLength % 4 !== 0) {
    throw new GradscopeError(
      'malformed-message',
      `A payload of float32 should have a multiple of 4 bytes, but it has ${String(payload.byteLength)}.`,
    );
  }
  return new Float32Array(payload.buffer, payload.byteOffset, payload.byteLength / 4);
}

const asError = ({ message }: CloseReason): GradscopeError => new GradscopeError('connection-lost', message);

const asGradscopeError = (error: unknown): GradscopeError =>
  error instanceof GradscopeError ? error : new GradscopeError('internal', String(error));
