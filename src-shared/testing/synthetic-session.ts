import { planNetwork } from '../model/network';
import { RECIPES, recipeNamed } from '../model/recipe';
import { DEFAULT_RUN_CONFIG, ENGINE_NAMES, type RunConfig } from '../model/run-config';
import { GradscopeError } from '../protocol/errors';
import {
  fromWireNumber,
  PROTOCOL_VERSION,
  toWireNumber,
  type Breakpoint,
  type Evaluation,
  type Ready,
  type RequestName,
  type RequestParams,
  type RunState,
  type Status,
  type TrainerMessage,
} from '../protocol/messages';
import { hashUnit, syntheticDigit } from './synthetic-digits';
import { SyntheticRun, syntheticLoss } from './synthetic-run';

const TEST_EVERY = 300;
const TEST_EXAMPLES = 10_000;
const TRAIN_IMAGES = 1;
const TEST_IMAGES = 2;

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly payload?: Uint8Array;
}

/** What a synthetic trainer does when it is asked to, and what it says of itself. Knows nothing of ports. */
export class SyntheticSession {
  run: SyntheticRun;
  runId = 1;
  runState: RunState = 'paused';
  /** Limit in steps a second; null: flat out. */
  speed: number | null = null;
  evaluations: Evaluation[] = [];
  /** Shown, but nothing stops at them: what is made up has no places inside a step while it runs. */
  breakpoints: Breakpoint[] = [];
  private config: RunConfig = DEFAULT_RUN_CONFIG;
  private readonly flatOut: number;

  /** @param flatOut steps a second without a limit. */
  constructor(steps: number, flatOut: number) {
    this.flatOut = flatOut;
    this.run = new SyntheticRun(this.config);
    this.startRun(steps);
  }

  get stepsPerSecond(): number {
    return this.speed ?? this.flatOut;
  }

  train(steps: number): void {
    for (let k = 0; k < steps && !this.run.finished; k += 1) {
      this.run.advanceStep();
      this.tested();
    }
    if (this.run.finished) this.runState = 'finished';
  }

  /** @throws GradscopeError when it must be refused. */
  perform<N extends RequestName>(name: N, raw: RequestParams<N>, payload: Uint8Array): Answer {
    const params = raw as never;
    const as = <M extends RequestName>(_: M): RequestParams<M> => params;
    const mayTrain = (): void => {
      if (this.run.finished)
        throw new GradscopeError('not-now', 'The run is finished; continue it or restart.');
    };
    switch (name) {
      case 'play':
        mayTrain();
        this.runState = 'running';
        return {};
      case 'pause':
        if (this.runState === 'running') this.runState = 'paused';
        return {};
      case 'stepPhase':
        mayTrain();
        this.runState = 'paused';
        this.run.advancePhase();
        if (!this.run.insideStep) this.tested();
        break;
      case 'measureStep':
        throw new GradscopeError('not-now', 'The synthetic trainer has no loss to measure a step by.');
      case 'stepLayer':
      case 'chooseExample':
        throw new GradscopeError('not-now', 'The synthetic trainer does not go layer by layer.');
      case 'explain':
        throw new GradscopeError('unknown-command', 'Made-up numbers have no arithmetic to explain.');
      case 'stepBatch':
        mayTrain();
        this.runState = 'paused';
        this.run.advanceStep();
        this.tested();
        break;
      case 'stepEpoch': {
        mayTrain();
        this.runState = 'paused';
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
      case 'setEngine':
      case 'measureEngines':
        if (this.runState === 'running') {
          throw new GradscopeError('not-now', 'Engines want training to stand still; pause it first.');
        }
        if (name === 'setEngine') this.config = { ...this.config, engine: as('setEngine').engine };
        return {};
      case 'setSpeed':
        this.speed = as('setSpeed').stepsPerSecond;
        return {};
      case 'setBreakpoints':
        this.breakpoints = as('setBreakpoints').breakpoints;
        return {};
      case 'restart': {
        const { config } = as('restart');
        recipeNamed(config.recipe);
        this.config = config;
        this.runId += 1;
        this.startRun(0);
        return { result: { runId: this.runId } };
      }
      case 'continue':
        this.run.epochs += as('continue').epochs;
        this.runState = 'paused';
        return {};
      case 'chooseDigit': {
        const { testIndex } = as('chooseDigit');
        if (testIndex >= TEST_EXAMPLES) {
          throw new GradscopeError('unknown-image', `Test images are 0 to 9999, not ${String(testIndex)}.`);
        }
        this.run.testIndex = testIndex;
        this.run.drawn = null;
        const { label, pixels } = syntheticDigit(testIndex, TEST_IMAGES);
        return { result: { testIndex, label, height: 28, width: 28 }, payload: pixels };
      }
      case 'drawDigit': {
        if (payload.length !== 28 * 28) {
          throw new GradscopeError('bad-image', `A drawing has 784 bytes, not ${String(payload.length)}.`);
        }
        const { assumedLabel } = as('drawDigit');
        this.run.drawn = { pixels: payload.slice(), assumedLabel };
        return { result: { assumedLabel, height: 28, width: 28 } };
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
      case 'kernelHistory': {
        const columns = syntheticHistory(this.run.step, as('kernelHistory').filter);
        const payload = bytesOf(Float32Array.from(columns.flat()));
        return { result: { count: columns[0]?.length ?? 0, activeAfter: 'relu' }, payload };
      }
    }
    if (this.run.finished) this.runState = 'finished';
    return {};
  }

  ready(nowMs: number): Ready {
    const { run, config } = this;
    const { testIndex, drawn } = run;
    const digit = syntheticDigit(testIndex, TEST_IMAGES);
    const recipe = recipeNamed(config.recipe);
    return {
      type: 'ready',
      protocol: PROTOCOL_VERSION,
      runId: this.runId,
      trainer: { name: 'synthetic', version: '1' },
      ...this.engines(),
      engines: [...ENGINE_NAMES],
      dataset: {
        name: 'MNIST',
        trainExamples: 60_000,
        testExamples: TEST_EXAMPLES,
        height: 28,
        width: 28,
        classes: 10,
        samples: Array.from({ length: 6 }, (_, index) => {
          const { label, pixels } = syntheticDigit(index + 40, TRAIN_IMAGES);
          return { index: index + 40, label, pixels: base64(pixels) };
        }),
      },
      recipes: [...RECIPES],
      config,
      network: planNetwork(recipe.network).spec,
      metricColumns: run.columns(),
      digit:
        drawn === null
          ? { testIndex, label: digit.label, assumedLabel: null, pixels: base64(digit.pixels) }
          : { testIndex: null, label: null, assumedLabel: drawn.assumedLabel, pixels: base64(drawn.pixels) },
      clockMs: nowMs,
      heartbeatMs: null,
    };
  }

  /** What it says of the engine of its run, and of the others. */
  engines(): Pick<Ready, 'engine' | 'engineTable'> {
    const { engine } = this.config;
    return {
      engine: {
        name: engine === 'auto' ? 'wasm' : engine,
        variant: 'made-up numbers',
        versions: {},
        chosenBecause: engine === 'auto' ? 'auto measured it to be the fastest' : 'asked for by name',
      },
      engineTable: ENGINE_NAMES.map((name) =>
        name === 'cpu'
          ? { name, variant: null, imagesPerSecond: null, reason: 'A synthetic trainer has no such engine.' }
          : { name, variant: 'made-up numbers', imagesPerSecond: 15_360, reason: null },
      ),
    };
  }

  engineMessage(): Extract<TrainerMessage, { type: 'engine' }> {
    return { type: 'engine', runId: this.runId, choice: this.config.engine, ...this.engines() };
  }

  status(failure: Status['failure']): Status {
    const { run, runState: state, config } = this;
    const running = state === 'running';
    const { stepsPerSecond } = this;
    const standsAtBoundary = !running && !run.insideStep;
    return {
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
      breakpoints: this.breakpoints,
      stoppedAt: null,
      stepsPerSecondLimit: this.speed,
      stepsPerSecond: running ? stepsPerSecond : null,
      imagesPerSecond: running ? stepsPerSecond * run.recipe.batchSize : null,
      threads: null,
      phaseShares:
        run.step === 0 ? null : { zeroGrad: 0.01, forward: 0.37, loss: 0.01, backward: 0.54, step: 0.07 },
      fitTime: config.mode === 'fit' && run.step > 0 ? { ownMs: 0.6, stepMs: 2.5 } : null,
      minibatch: run.phase === null ? null : this.minibatch(),
      weightsSha256: standsAtBoundary ? { step: run.step, value: this.sha256() } : null,
      proof:
        run.step >= run.stepsPerEpoch
          ? { mode: other(config.mode), step: run.stepsPerEpoch, same: true }
          : null,
      testing: null,
      failure,
    };
  }

  private startRun(steps: number): void {
    this.run = new SyntheticRun(this.config);
    this.evaluations = [];
    this.runState = 'paused';
    this.evaluate(0);
    this.train(steps);
  }

  private tested(): void {
    const { step, stepsPerEpoch } = this.run;
    if (step % stepsPerEpoch === 0) this.evaluate(step / stepsPerEpoch);
    else if ((step % stepsPerEpoch) % TEST_EVERY === 0) this.evaluate(null);
  }

  private evaluate(epoch: number | null): void {
    const { step, rows } = this.run;
    const row = epoch === null || epoch === 0 ? undefined : rows.at(-1);
    this.evaluations.push({
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
    });
  }

  private minibatch(): NonNullable<Status['minibatch']> {
    const { step, insideStep } = this.run;
    const finished = insideStep ? step : step - 1;
    return { step: finished + 1, indices: this.run.minibatch(finished), labels: null, loss: null };
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

export const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.slice().buffer);

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** Columns of a kernel's history at about a hundred steps. */
function syntheticHistory(step: number, filter: number): number[][] {
  const steps = Array.from({ length: Math.min(step, 100) + 1 }, (_, k) =>
    Math.round((k * step) / Math.min(Math.max(step, 1), 100)),
  );
  const unlessFirst = (value: (at: number) => number): number[] =>
    steps.map((at) => (at === 0 ? Number.NaN : value(at)));
  return [
    steps,
    steps.map((at) => 0.5 + 0.1 * filter + 0.3 * (1 - Math.exp(-at / 800))),
    unlessFirst((at) => (0.05 + 0.1 * hashUnit(at, filter, 1)) * Math.exp(-at / 3000)),
    unlessFirst((at) => (0.001 + 0.002 * hashUnit(at, filter, 2)) * Math.exp(-at / 3000)),
    unlessFirst((at) => 0.4 + 0.1 * hashUnit(at, filter, 3)),
  ];
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
