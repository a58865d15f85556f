import { planNetwork, sizeOf } from '../model/network';
import { RECIPES, recipeNamed } from '../model/recipe';
import { DEFAULT_RUN_CONFIG, ENGINE_NAMES, type RunConfig } from '../model/run-config';
import { decodePageMessage, encodeMessage } from '../protocol/decode';
import { GradscopeError, type ErrorCode } from '../protocol/errors';
import {
  fromWireNumber,
  PROTOCOL_VERSION,
  REQUESTS,
  toWireNumber,
  type PageMessage,
  type Ready,
  type RequestName,
  type RequestParams,
  type RunState,
  type Slot,
  type SlotState,
  type Status,
  type TrainerMessage,
  type WatchItem,
} from '../protocol/messages';
import type { Port } from '../protocol/port';
import { syntheticDigit, hashUnit } from './synthetic-digits';
import { countNonFinite, SyntheticRun, syntheticLoss } from './synthetic-run';

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
const TEST_EVERY = 300;
const TEST_EXAMPLES = 10_000;

/**
 * The trainer's side of the protocol with made-up numbers: the page can be built, tested and photographed without a
 * worker. It trains only when told to (by its ticker or by `train`), so what it sends is the same every time.
 */
export class SyntheticTrainer {
  run: SyntheticRun;
  credits = 0;
  /** Frames sent. */
  framesSent = 0;
  visible = true;
  private readonly port: Port;
  private readonly options: SyntheticTrainerOptions;
  private readonly stopTicker: () => void;
  private runId = 1;
  private config: RunConfig = DEFAULT_RUN_CONFIG;
  private state: RunState = 'paused';
  private layoutId = 0;
  private items: readonly WatchItem[] = [];
  private slots: readonly Slot[] = [];
  private pictureIsDue = false;
  private skipped = 0;
  private speed: number | null = null;
  private owedSteps = 0;
  private metricsSent = 0;
  private reported = false;
  private appliedAtMs: number;
  private statusSentAtMs = -Infinity;
  private evaluations: TrainerMessage[] = [];

  constructor(port: Port, options: SyntheticTrainerOptions) {
    this.port = port;
    this.options = options;
    this.appliedAtMs = options.now();
    this.run = new SyntheticRun(this.config);
    this.startRun(options.steps ?? 0);
    port.onMessage((raw) => {
      this.receive(raw);
    });
    this.stopTicker =
      options.ticker?.(TICK_MS, () => {
        this.tick();
      }) ?? (() => undefined);
    port.onClose(this.stopTicker);
  }

  /** Trains `steps` steps as if playing, whatever the state. */
  train(steps: number): void {
    for (let k = 0; k < steps && !this.run.finished; k += 1) {
      this.run.advanceStep();
      this.tested();
    }
    if (this.run.finished) this.state = 'finished';
    this.moved();
  }

  /** The process has gone. */
  die(code: ErrorCode = 'worker-died', message = 'The trainer died (signal SIGKILL).'): void {
    this.stopTicker();
    this.port.close({ code, message });
  }

  /** Stops with a failure of its own. */
  fail(code: ErrorCode, message: string): void {
    this.state = 'failed';
    this.sendStatus({ code, message });
  }

  private startRun(steps: number): void {
    this.run = new SyntheticRun(this.config);
    this.evaluations = [];
    this.metricsSent = 0;
    this.reported = false;
    this.skipped = 0;
    this.state = 'paused';
    this.evaluate(0);
    for (let k = 0; k < steps && !this.run.finished; k += 1) {
      this.run.advanceStep();
      this.tested();
    }
    if (this.run.finished) this.state = 'finished';
  }

  private tick(): void {
    if (this.state !== 'running') return;
    const perSecond = this.speed ?? this.options.flatOut ?? 240;
    this.owedSteps = Math.min(this.owedSteps + (perSecond * TICK_MS) / 1000, perSecond);
    const steps = Math.floor(this.owedSteps);
    this.owedSteps -= steps;
    if (steps > 0) this.train(steps);
  }

  private tested(): void {
    const { step, stepsPerEpoch } = this.run;
    if (step % stepsPerEpoch === 0) this.evaluate(step / stepsPerEpoch);
    else if ((step % stepsPerEpoch) % TEST_EVERY === 0) this.evaluate(null);
  }

  private evaluate(epoch: number | null): void {
    const { step, rows } = this.run;
    const row = epoch === null || epoch === 0 ? undefined : rows.at(-1);
    const message: TrainerMessage = {
      type: 'evaluation',
      runId: this.runId,
      step,
      epoch,
      loss: step === 0 ? 2.3096 : syntheticLoss(step * 1.4) * 0.7,
      accuracy: step === 0 ? 0.0924 : 0.975 - 0.7 * Math.exp(-step / 250) - 0.01 * hashUnit(step, 3),
      examples: TEST_EXAMPLES,
      runningLoss: row === undefined ? null : toWireNumber(row[1] ?? 0),
      runningAccuracy: row?.[2] ?? null,
      imagesPerSecond: row === undefined ? null : 15_360,
    };
    this.evaluations.push(message);
    if (this.layoutId > 0) this.port.send(message);
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
    const isDue = this.state !== 'running' || this.appliedAtMs - this.statusSentAtMs >= STATUS_EVERY_MS;
    if (isDue) this.sendStatus(null);
  }

  private receive(raw: unknown): void {
    try {
      const { message, payload } = decodePageMessage(raw);
      this.handle(message, payload);
    } catch (error) {
      const { code, message } = asGradscopeError(error);
      this.port.send({ type: 'goodbye', code, message } satisfies TrainerMessage);
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
        this.sendReady();
        break;
      case 'watch':
        this.watch(message.items);
        break;
      case 'credit':
        this.credits += message.count;
        this.sendFrame();
        break;
      case 'visibility':
        this.visible = message.visible;
        break;
      case 'request':
        this.answer(message, payload);
        break;
    }
  }

  private answer(message: Extract<PageMessage, { type: 'request' }>, payload: Uint8Array): void {
    const { id, method } = message;
    try {
      if (!(method in REQUESTS))
        throw new GradscopeError('unknown-command', `There is no command ${method}.`);
      const name = method as RequestName;
      const params = REQUESTS[name][0].parse(message.params);
      const { result = {}, payload: reply } = this.perform(name, params, payload);
      this.port.send(encodeMessage({ type: 'reply', id, error: null, result }, reply));
      if (name === 'restart') this.sendReady();
      else if (name !== 'readTensor' && name !== 'saveWeights') {
        this.statusSentAtMs = -Infinity;
        this.moved();
      }
    } catch (error) {
      const { code, message: sentence } = asGradscopeError(error);
      this.port.send({ type: 'reply', id, error: { code, message: sentence }, result: {} });
    }
  }

  private perform<N extends RequestName>(
    name: N,
    raw: RequestParams<N>,
    payload: Uint8Array,
  ): { result?: Record<string, unknown>; payload?: Uint8Array } {
    const params = raw as never;
    const as = <M extends RequestName>(_: M): RequestParams<M> => params;
    const mayTrain = (): void => {
      if (this.run.finished)
        throw new GradscopeError('not-now', 'The run is finished; continue it or restart.');
    };
    switch (name) {
      case 'play':
        mayTrain();
        this.state = 'running';
        return {};
      case 'pause':
        if (this.state === 'running') this.state = 'paused';
        return {};
      case 'stepPhase':
        mayTrain();
        this.state = 'paused';
        this.run.advancePhase();
        if (!this.run.insideStep) this.tested();
        break;
      case 'stepBatch':
        mayTrain();
        this.state = 'paused';
        this.run.advanceStep();
        this.tested();
        break;
      case 'stepEpoch': {
        mayTrain();
        this.state = 'paused';
        const { stepsPerEpoch, step } = this.run;
        for (let left = stepsPerEpoch - (step % stepsPerEpoch); left > 0; left -= 1) {
          this.run.advanceStep();
          this.tested();
        }
        break;
      }
      case 'setMode':
        this.config = { ...this.config, mode: as('setMode').mode };
        return {};
      case 'setSpeed':
        this.speed = as('setSpeed').stepsPerSecond;
        return {};
      case 'restart': {
        const { config } = as('restart');
        recipeNamed(config.recipe);
        this.config = config;
        this.runId += 1;
        this.layoutId = 0;
        this.startRun(0);
        return { result: { runId: this.runId } };
      }
      case 'continue':
        this.run.epochs += as('continue').epochs;
        this.state = 'paused';
        return {};
      case 'chooseDigit': {
        const { testIndex } = as('chooseDigit');
        if (testIndex >= TEST_EXAMPLES) {
          throw new GradscopeError('unknown-image', `Test images are 0 to 9999, not ${String(testIndex)}.`);
        }
        this.run.testIndex = testIndex;
        const { label, pixels } = syntheticDigit(testIndex, 2);
        return { result: { testIndex, label, height: 28, width: 28 }, payload: pixels };
      }
      case 'loadWeights': {
        const bytes = this.run.weightBytes().length;
        if (payload.length < bytes + 8) {
          const found = `${as('loadWeights').fileName} has ${String(payload.length)} bytes`;
          throw new GradscopeError('bad-weights', `${found}; this network's weights need ${String(bytes)}.`);
        }
        this.run.loadWeightBytes(payload.subarray(payload.length - bytes));
        return {};
      }
      case 'saveWeights': {
        const result = { step: this.run.step, weightsSha256: this.sha256() };
        return { result, payload: safetensors(this.run) };
      }
      case 'setWeight': {
        const { name: tensor, index, value } = as('setWeight');
        if (!this.run.setWeight(tensor, index, fromWireNumber(value))) {
          throw new GradscopeError('unknown-tensor', `There is no value ${String(index)} in ${tensor}.`);
        }
        return {};
      }
      case 'readTensor': {
        const { name: tensor, kind } = as('readTensor');
        const layer = this.run.plan.layers.find(({ spec }) => spec.name === tensor);
        const found =
          kind === 'weight' || kind === 'gradient' || kind === 'update'
            ? this.run.parameter(tensor, kind)
            : layer !== undefined && this.run.insideStep
              ? this.run.minibatchTensor(layer, kind)
              : null;
        if (found === null)
          throw new GradscopeError('unknown-tensor', `There is no ${kind} of ${tensor} now.`);
        const { values, ...head } = found;
        return { result: { ...head }, payload: bytesOf(values) };
      }
    }
    if (this.run.finished) this.state = 'finished';
    return {};
  }

  private watch(items: readonly WatchItem[]): void {
    this.items = items;
    this.layoutId += 1;
    let offset = 0;
    this.slots = items.map(({ name, kind, maxValues }) => {
      const shape = [...this.shapeOf(name, kind)];
      const columns = sizeOf(shape.slice(1));
      const width = Math.ceil(sizeOf(shape) / maxValues);
      const block: [number, number] | null = width > 1 ? [1, width] : null;
      const sentShape = block === null ? shape : [shape[0] ?? 1, Math.ceil(columns / width)];
      const slot = { name, kind, shape, sentShape, block, offset, length: sizeOf(sentShape) };
      offset += slot.length;
      return slot;
    });
    this.port.send({
      type: 'layout',
      layoutId: this.layoutId,
      slots: [...this.slots],
    } satisfies TrainerMessage);
    this.pictureIsDue = true;
    this.sendFrame();
  }

  private shapeOf(name: string, kind: WatchItem['kind']): readonly number[] {
    const { plan } = this.run;
    if (kind === 'digitProbabilities') return [plan.classes];
    if (kind === 'digitOutput' && name === 'input') return plan.spec.input;
    const shape =
      kind === 'digitOutput' || kind === 'digitError'
        ? plan.layers.find((layer) => layer.spec.name === name)?.outputShape
        : plan.parameters.find((parameter) => parameter.name === name)?.shape;
    if (shape === undefined) throw new GradscopeError('unknown-tensor', `There is no ${kind} of ${name}.`);
    return shape;
  }

  private sendFrame(): void {
    if (this.credits === 0 || !this.pictureIsDue || this.slots.length === 0) return;
    this.credits -= 1;
    this.pictureIsDue = false;
    this.framesSent += 1;
    const last = this.slots.at(-1);
    const values = new Float32Array(last === undefined ? 0 : last.offset + last.length);
    const digit = this.run.digitForward();
    const states = this.slots.map((slot): SlotState => {
      const { values: whole, ...state } = this.slotValues(slot, digit);
      values.set(reduce(whole, slot), slot.offset);
      return { ...state, ...countNonFinite(whole) };
    });
    const { step, phase } = this.run;
    const { runId, layoutId, appliedAtMs, skipped } = this;
    this.skipped = 0;
    const head = {
      type: 'frame',
      runId,
      layoutId,
      step,
      phase,
      appliedAtMs,
      skipped,
      slots: states,
    } as const;
    this.port.send(encodeMessage(head, bytesOf(values)));
  }

  private slotValues(
    { name, kind }: Slot,
    { outputs, probabilities, label }: ReturnType<SyntheticRun['digitForward']>,
  ): Pick<SlotState, 'freshness' | 'step' | 'phase'> & { values: Float32Array } {
    const { step, phase, plan } = this.run;
    const now = { freshness: 'fresh', step, phase } as const;
    if (kind === 'digitProbabilities') return { ...now, values: probabilities };
    if (kind === 'digitOutput') return { ...now, values: outputs.get(name) ?? new Float32Array() };
    if (kind === 'digitError') {
      const layer = plan.layers.find(({ spec }) => spec.name === name);
      if (layer === undefined) return { ...now, values: new Float32Array() };
      const output = outputs.get(name) ?? new Float32Array();
      return { ...now, values: this.run.digitError(layer, output, probabilities, label) };
    }
    const found = this.run.parameter(name, kind);
    if (found === null) return { ...now, values: new Float32Array() };
    return { values: found.values, freshness: found.freshness, step: found.step, phase: found.phase };
  }

  private sendMetrics(): void {
    const rows = this.run.rows.slice(this.metricsSent);
    if (rows.length === 0) return;
    const firstStep = this.metricsSent + 1;
    this.metricsSent += rows.length;
    const columns = this.run.columns().length;
    const values = new Float32Array(rows.length * columns);
    rows.forEach((row, r) => {
      row.forEach((value, c) => {
        values[c * rows.length + r] = value;
      });
    });
    const head = { type: 'metrics', runId: this.runId, firstStep, count: rows.length } as const;
    this.port.send(encodeMessage(head, bytesOf(values)));
  }

  private reportNonFinite(): void {
    const found = this.run.firstNonFinite();
    if (found === null || this.reported || !this.run.insideStep) return;
    this.reported = true;
    const { name: tensor, nan, infinite } = found;
    const { step } = this.run;
    this.port.send({
      type: 'nonFinite',
      runId: this.runId,
      step: step + 1,
      phase: 'forward',
      tensor,
      nan,
      infinite,
    });
  }

  private sendReady(): void {
    const { run, config } = this;
    const { testIndex } = run;
    const digit = syntheticDigit(testIndex, 2);
    const recipe = recipeNamed(config.recipe);
    const ready: Ready = {
      type: 'ready',
      protocol: PROTOCOL_VERSION,
      runId: this.runId,
      trainer: { name: 'synthetic', version: '1' },
      engine: {
        name: config.engine === 'auto' ? 'wasm' : config.engine,
        variant: 'made-up numbers',
        versions: {},
        chosenBecause: 'a synthetic trainer has no other',
      },
      engines: [...ENGINE_NAMES],
      dataset: {
        name: 'MNIST',
        trainExamples: 60_000,
        testExamples: TEST_EXAMPLES,
        height: 28,
        width: 28,
        classes: 10,
        samples: Array.from({ length: 6 }, (_, index) => {
          const { label, pixels } = syntheticDigit(index + 40, 1);
          return { index: index + 40, label, pixels: base64(pixels) };
        }),
      },
      recipes: [...RECIPES],
      config,
      network: planNetwork(recipe.network).spec,
      metricColumns: run.columns(),
      digit: { testIndex, label: digit.label, pixels: base64(digit.pixels) },
      clockMs: this.options.now(),
    };
    this.port.send(ready);
    this.layoutId = Math.max(1, this.layoutId);
    this.metricsSent = 0;
    this.sendMetrics();
    for (const evaluation of this.evaluations) this.port.send({ ...evaluation });
    this.sendStatus(null);
    if (this.items.length > 0) this.watch(this.items);
  }

  private sendStatus(failure: Status['failure']): void {
    this.statusSentAtMs = this.options.now();
    const { run, state, config } = this;
    const running = state === 'running';
    const perSecond = this.speed ?? this.options.flatOut ?? 240;
    const standsAtBoundary = !running && !run.insideStep;
    const status: Status = {
      type: 'status',
      runId: this.runId,
      state,
      step: run.step,
      epoch: run.epoch,
      epochs: run.epochs,
      stepInEpoch: run.step - (run.epoch - 1) * run.stepsPerEpoch,
      stepsPerEpoch: run.stepsPerEpoch,
      phase: run.phase,
      layer: null,
      mode: config.mode,
      stepsPerSecondLimit: this.speed,
      stepsPerSecond: running ? perSecond : null,
      imagesPerSecond: running ? perSecond * run.recipe.batchSize : null,
      phaseShares:
        run.step === 0 ? null : { zeroGrad: 0.01, forward: 0.37, loss: 0.01, backward: 0.54, step: 0.07 },
      minibatch: run.phase === null ? null : this.minibatch(),
      weightsSha256: standsAtBoundary ? { step: run.step, value: this.sha256() } : null,
      proof:
        run.step >= run.stepsPerEpoch
          ? { mode: other(config.mode), step: run.stepsPerEpoch, same: true }
          : null,
      testing: null,
      failure,
    };
    this.port.send(status);
  }

  private minibatch(): { step: number; indices: number[] } {
    const { step, insideStep } = this.run;
    const finished = insideStep ? step : step - 1;
    return { step: finished + 1, indices: this.run.minibatch(finished) };
  }

  /** Not a digest of anything: 64 hexadecimal digits that belong to the seed and the step. */
  private sha256(): string {
    const word = (k: number): string =>
      Math.floor(hashUnit(this.run.step, this.config.seed, k) * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    return Array.from({ length: 8 }, (_, k) => word(k)).join('');
  }
}

const other = (mode: RunConfig['mode']): RunConfig['mode'] => (mode === 'fit' ? 'imperative' : 'fit');

const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.slice().buffer);

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** Means over the slot's blocks, row by row. */
function reduce(values: Float32Array, { block, shape, sentShape }: Slot): Float32Array {
  if (block === null) return values;
  const [, width] = block;
  const columns = sizeOf(shape.slice(1));
  const [rows = 1, sent = 1] = sentShape;
  const means = new Float32Array(rows * sent);
  for (let k = 0; k < means.length; k += 1) {
    const row = Math.floor(k / sent);
    const from = (k % sent) * width;
    const part = values.subarray(row * columns + from, row * columns + Math.min(columns, from + width));
    means[k] = part.reduce((sum, value) => sum + value, 0) / part.length;
  }
  return means;
}

/** 8 bytes little-endian length, the JSON header, the tensors one after the other. */
function safetensors(run: SyntheticRun): Uint8Array {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape, size } of run.plan.parameters) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + size * 4] };
    at += size * 4;
  }
  const head = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + head.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  file.set(run.weightBytes(), 8 + head.length);
  return file;
}

const asGradscopeError = (error: unknown): GradscopeError =>
  error instanceof GradscopeError ? error : new GradscopeError('internal', String(error));
