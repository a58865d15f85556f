import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LayerPlan, type NetworkPlan, planNetwork, sizeOf } from '../../src-shared/model/network';
import type { Position } from '../../src-shared/model/phases';
import type { Recipe } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, type Mode } from '../../src-shared/model/run-config';
import { fillWords } from '../../src-shared/tensor/random';
import type { Dataset, ExampleSet } from '../data/dataset';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { arbitraryNetwork } from '../engine/testing/arbitrary-network';
import { describeEngines } from '../engine/testing/describe-engines';
import { readAll } from '../engine/testing/drive';
import { float64Backward, type Sums } from '../engine/testing/float64-backward';
import { FitLoop } from './fit-loop';
import { BlockingGate, type GateHost } from './gate';
import { ImperativeLoop } from './imperative-loop';
import type { Gate } from './loop';
import type { Mailbox } from './mailbox';
import { RunControl } from './run-control';
import { Session } from './session';

const STEPS = 2;
const LOOPS = { imperative: ImperativeLoop, fit: FitLoop };

interface Case {
  readonly plan: NetworkPlan;
  /** Examples in a minibatch. */
  readonly n: number;
  readonly seed: number;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  // A dataset has images of one channel.
  plan: arbitraryNetwork.map(({ spec }) => {
    const [, height, width] = spec.input;
    return planNetwork({ ...spec, input: [1, height, width] });
  }),
  n: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1e6),
});

function openSession(engine: Engine, { plan, n, seed }: Case): Session {
  const recipe: Recipe = {
    name: 'any',
    summary: 'For tests.',
    network: plan.spec,
    optimiser: { kind: 'sgd', learningRate: 0.25, momentum: 0.5, nesterov: false, weightDecay: 0 },
    initialisation: 'torchDefault',
    input: { mean: 0.25, deviation: 0.5 },
    batchSize: n,
    testBatchSize: n,
    epochs: 1,
  };
  const config = { ...DEFAULT_RUN_CONFIG, seed };
  return new Session({ engine, recipe, config, dataset: datasetOf(plan, n * STEPS, seed) });
}

/** Images of four grey levels, so that windows of a pool often tie. */
function datasetOf(plan: NetworkPlan, count: number, seed: number): Dataset {
  const [, height, width] = plan.spec.input;
  const words = new Uint32Array(count * (height * width + 1));
  fillWords(words, { seed, purpose: 'minibatchOrder', step: 0, layer: 1 });
  const labels = Uint8Array.from(words.subarray(0, count), (word) => word % plan.classes);
  const pixels = Uint8Array.from(words.subarray(count), (word) => (word >>> 30) * 85);
  const set: ExampleSet = { count, pixels, labels };
  return { name: 'any', channels: 1, height, width, classes: plan.classes, train: set, test: set };
}

/** All that a step leaves behind. */
interface StepLeft {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly loss: number;
  /** Of every layer's output, by the layer's name. */
  readonly errors: ReadonlyMap<string, Float32Array>;
}

/** Trains all steps through the gate: what each left behind, and the momentum after the last. */
async function train(engine: Engine, each: Case, mode: Mode, makeGate: (session: Session) => Gate) {
  const session = openSession(engine, each);
  const steps: StepLeft[] = [];
  await new LOOPS[mode](session, makeGate(session), ({ loss }) => {
    const { network, plan } = session;
    steps.push({
      weights: readAll(network, 'weight'),
      gradients: readAll(network, 'gradient'),
      loss,
      errors: new Map(
        plan.layers.map(({ spec }) => [spec.name, session.readLayer(spec.name, 'error').values]),
      ),
    });
  }).run();
  // Within fit() its optimiser has the momentum until the loop is left.
  const momentum = readAll(session.network, 'momentum');
  session.dispose();
  return { steps, momentum };
}

const freely = (session: Session): Gate => ({
  beforeStep: () => (session.step < STEPS ? 'go' : 'leave'),
  reached: () => undefined,
});

/** The real gate, and somebody who asks for the next layer each time training sleeps, until all steps are done. */
class Walker implements GateHost<'layer'>, Mailbox<'layer'> {
  readonly gate: BlockingGate<'layer'>;
  readonly #control = new RunControl();
  readonly #session: Session;
  readonly #look: (at: Position) => void;
  #at: Position | null = null;
  #asks = false;

  constructor(session: Session, look: (at: Position) => void) {
    this.#session = session;
    this.#look = look;
    this.gate = new BlockingGate(this.#control, this, this);
  }

  hasMail(): boolean {
    return this.#asks;
  }
  take(): 'layer' {
    this.#asks = false;
    return 'layer';
  }
  wait(): void {
    if (this.#session.step === STEPS) this.#control.leave('atBoundary');
    else this.#asks = true;
  }
  mayServe(): boolean {
    return true;
  }
  serve(): void {
    this.#control.step('layer', 1, () => undefined);
  }
  reached(position: Position): void {
    this.#at = position;
  }
  stood(): void {
    if (this.#session.inStep && this.#at !== null) this.#look(this.#at);
  }
  mayBegin(): boolean {
    return true;
  }
  began(): void {
    /* Only a trainer has a clock to set. */
  }
  went(): void {
    /* Nobody is told. */
  }
  publish(): void {
    /* Pictures are the publisher's. */
  }
  hasDrawn(): boolean {
    return true;
  }
  idle(): boolean {
    return false;
  }
  due(): number {
    return 0;
  }
}

describeEngines('on %s, in networks of every shape', (engineName) => {
  const numRuns = 60;
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(engineName));
  });
  afterAll(() => {
    engine.dispose();
  });

  // Catches: looking that changes what is trained, a loop that computes something else when it is held at its layers, a
  // fused or reused buffer that shows another error than the one backward goes on with.
  it.each<Mode>(['imperative', 'fit'])(
    'a walk through the layers in the %s loop leaves the bits of a free run, and shows what backward goes on with',
    async (mode) => {
      let stops = 0;
      await fc.assert(
        fc.asyncProperty(anyCase, async (each) => {
          const free = await train(engine, each, 'imperative', freely);
          const walked = await train(engine, each, mode, (session) => {
            const start = { step: -1, sha: '' };
            const walker = new Walker(session, (at) => {
              stops += 1;
              if (start.step !== session.step) {
                start.step = session.step;
                start.sha = session.weightsSha256();
              }
              expect(session.weightsSha256()).toBe(start.sha);
              const errors = free.steps[session.step]?.errors ?? new Map<string, Float32Array>();
              checkStop(session, at, errors);
            });
            return walker.gate;
          });
          expect(walked).toEqual(free);
        }),
        { numRuns, seed: 20221109 },
      );
      expect(stops).toBeGreaterThan(numRuns * STEPS);
    },
    60_000,
  );
});

/** At each stop of the way back: every error is bit for bit that of the free run, and leads to what backward made of it. */
function checkStop(
  session: Session,
  { phase, layer: at }: Position,
  free: ReadonlyMap<string, Float32Array>,
) {
  if (phase !== 'loss' && phase !== 'backward') return;
  const { layers } = session.plan;
  const reached = at ?? layers.length;
  for (const { spec } of layers.slice(Math.max(reached - 1, 0))) {
    expect(session.readLayer(spec.name, 'error').values, spec.name).toEqual(free.get(spec.name));
  }
  const layer = layers[reached];
  if (layer !== undefined) checkBackward(session, layer);
}

function checkBackward(session: Session, layer: LayerPlan): void {
  const { spec, parameters, index } = layer;
  const n = session.minibatch?.indices.length ?? 0;
  const before = session.plan.layers[index - 1];
  const [weight, bias] = parameters;
  const shown = (name: string, kind: 'activation' | 'error' | 'mask'): Float32Array =>
    session.readLayer(name, kind).values;
  const expected = float64Backward(layer, {
    n,
    input: before === undefined ? imagesOf(session) : shown(before.spec.name, 'activation'),
    error: shown(spec.name, 'error'),
    weight: weight === undefined ? new Float32Array() : session.mirror(weight.name).weight.values,
    mask: spec.kind === 'dropout' ? shown(spec.name, 'mask') : null,
  });
  const close = (what: string, actual: Float32Array, { values, absolute }: Sums): void => {
    expect(actual.length).toBe(values.length);
    actual.forEach((value, i) => {
      const difference = Math.abs(value - values[i]!);
      expect(difference, `${what} of ${spec.name}[${i}]`).toBeLessThanOrEqual(1e-6 * absolute[i]! + 1e-37);
    });
  };
  if (before !== undefined) close('dL/d input', shown(before.spec.name, 'error'), expected.inputError);
  if (weight !== undefined && bias !== undefined) {
    close('gradient', session.mirror(weight.name).gradient.values, expected.weightGradient);
    close('bias gradient', session.mirror(bias.name).gradient.values, expected.biasGradient);
  }
}

function imagesOf(session: Session): Float32Array {
  const size = sizeOf(session.plan.spec.input);
  const indices = session.minibatch?.indices ?? [];
  const images = new Float32Array(indices.length * size);
  indices.forEach((_, example) => {
    images.set(session.readExample('input', 'activation', example)?.values ?? [], example * size);
  });
  return images;
}
