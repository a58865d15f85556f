import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LayerPlan, type NetworkPlan, sizeOf } from '../../../src-shared/model/network';
import { stateSlots } from '../../../src-shared/model/optimiser';
import { RECIPES, type Recipe } from '../../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../../src-shared/model/run-config';
import {
  roundingBound,
  type ExplainedKind,
  type ExplanationOf,
} from '../../../src-shared/protocol/explanation';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import { fillWords } from '../../../src-shared/tensor/random';
import { openDataset, type Dataset, type ExampleSet } from '../../data/dataset';
import { openEngine } from '../../engine';
import type { Engine } from '../../engine/engine';
import { arbitraryNetwork } from '../../engine/testing/arbitrary-network';
import { DigitProbe } from '../../probe/digit';
import { TINY_RECIPE, tinyDataset } from '../../testing/tiny-run';
import { FitLoop } from '../fit-loop';
import { ImperativeLoop } from '../imperative-loop';
import type { Gate } from '../loop';
import { Session } from '../session';
import { explain } from './explain';
import type { Explained } from './explained';
import { describeEngines } from '../../engine/testing/describe-engines';

const LOOPS = { imperative: ImperativeLoop, fit: FitLoop };
const EXAMPLES = 5;

/** Of what is allowed. */
const TOLERANCE = 1;
/** Of the sum of the absolute terms, however many there are: stricter than roundingBound() where they are many. */
const SHARE = 1e-6;
/** Below it a float32 has not all its digits. */
const SMALLEST = 1e-37;

const OPTIMISERS: readonly Recipe['optimiser'][] = [
  TINY_RECIPE.optimiser,
  { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.02 },
  { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0.02 },
  { kind: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.02 },
];

const mnist = openDataset({});

/** Images of noise, a third of them black, so that ties and zeros are met. */
function noiseFor(plan: NetworkPlan): Dataset {
  const [, height, width] = plan.spec.input;
  const set = (purpose: number): ExampleSet => {
    const words = new Uint32Array(EXAMPLES * height * width);
    fillWords(words, { seed: purpose, purpose: 'minibatchOrder', step: 0, layer: 0 });
    const pixels = Uint8Array.from(words, (word) => (word % 3 === 0 ? 0 : word >>> 24));
    const labels = Uint8Array.from({ length: EXAMPLES }, (_, i) => i % plan.classes);
    return { count: EXAMPLES, pixels, labels };
  };
  return { name: 'noise', channels: 1, height, width, classes: plan.classes, train: set(1), test: set(2) };
}

/** Values to ask for: all of a small tensor, else some spread over it. */
function indicesOf(size: number, most: number, shift: number): number[] {
  if (size <= most) return Array.from({ length: size }, (_, index) => index);
  return Array.from({ length: most }, (_, k) => (Math.floor((k * size) / most) + shift) % size);
}

/** How far the shown arithmetic is from the tensor, in parts of what rounding allows; the explanation adds up in itself. */
function discrepancy({ explanation, arrays }: Explained): number {
  if (explanation.form === 'update') {
    const { optimiser, state, gradient, direction, weightBefore } = explanation;
    const decayed = Math.abs(Number(gradient)) + Math.abs(optimiser.weightDecay * Number(weightBefore));
    const remembered = state.map(({ before, sum, after }) =>
      apart(Number(sum), Number(after), SHARE * (Math.abs(Number(before)) + decayed)),
    );
    const weight = apart(
      Number(explanation.weightSum),
      Number(explanation.weightAfter),
      SHARE * (Math.abs(Number(weightBefore)) + Math.abs(optimiser.learningRate * Number(direction))),
    );
    const rounded = Math.fround(Number(explanation.weightAfter) - Number(weightBefore));
    return Math.max(...remembered, weight, isSame(rounded, Number(explanation.update)) ? 0 : Infinity);
  }
  const { value, sum, absolute } = explanation;
  if (explanation.form === 'terms') {
    const { largest, rest, bias } = explanation;
    const shown = largest.reduce(
      (all, { product }) => all + Number(product),
      Number(rest) + Number(bias ?? 0),
    );
    if (Math.abs(shown - Number(sum)) > 1e-12 * Number(absolute)) return Infinity;
  }
  if (explanation.form === 'window' && differsFromPlanes(explanation, arrays)) return Infinity;
  const allowed = SHARE * Number(absolute) + SMALLEST;
  if (allowed > roundingBound(explanation)) return Infinity;
  return apart(Number(sum), Number(value), allowed);
}

function differsFromPlanes(
  { planes, planeSums, bias, sum, absolute }: ExplanationOf<'window'>,
  [left = new Float32Array(), right = new Float32Array()]: readonly Float32Array[],
): boolean {
  const size = left.length / planes;
  const sums = planeSums.map((_, plane) => {
    let all = 0;
    for (let i = plane * size; i < (plane + 1) * size; i++) all += left[i]! * right[i]!;
    return all;
  });
  const tiny = 1e-12 * Number(absolute);
  const total = sums.reduce((all, each) => all + each, Number(bias ?? 0));
  return (
    Math.abs(total - Number(sum)) > tiny ||
    sums.some((each, i) => Math.abs(each - Number(planeSums[i])) > tiny)
  );
}

/** Infinity too where one of the two is no finite number and the other is another. */
function apart(sum: number, value: number, allowed: number): number {
  if (isSame(sum, value)) return 0;
  const parts = Math.abs(sum - value) / allowed;
  return Number.isNaN(parts) ? Infinity : parts;
}

const isSame = (one: number, other: number): boolean =>
  one === other || (Number.isNaN(one) && Number.isNaN(other));

describeEngines('arithmetic on %s', (name) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(name));
  });
  afterAll(() => {
    engine.dispose();
  });

  const make = (recipe: Recipe, dataset: Dataset, seed: number): { session: Session; digit: DigitProbe } => {
    const config = { ...DEFAULT_RUN_CONFIG, seed };
    const session = new Session({ engine, dataset, recipe, config });
    const { network } = session;
    const step = (): number => session.step;
    let clock = 0;
    const now = (): number => (clock += 1);
    const choice = { testIndex: 1 };
    return { session, digit: new DigitProbe({ network, dataset, input: recipe.input, choice, step, now }) };
  };

  /** Trains two steps, and calls `look` at every place of each at which training can stand. */
  const trainLooking = async (
    session: Session,
    mode: keyof typeof LOOPS,
    look: () => void,
    steps = 2,
  ): Promise<void> => {
    const gate: Gate = {
      beforeStep: () => {
        look();
        return session.step >= steps ? 'leave' : 'go';
      },
      reached: ({ phase }) => {
        if (phase !== 'step') look();
      },
    };
    while (session.step < steps) await new LOOPS[mode](session, gate, () => undefined).run();
  };

  /** Every kind of question about some values of each tensor; those that are not to be answered now are counted apart. */
  const askAll = (
    session: Session,
    digit: DigitProbe,
    most: number,
    shift: number,
  ): { worst: number; what: string; forms: Set<string> } => {
    let found = { worst: 0, what: '' };
    const forms = new Set<string>();
    const ask = (tensor: string, kind: ExplainedKind, size: number): void => {
      for (const index of indicesOf(size, most, shift)) {
        let explained: Explained;
        try {
          const example = (shift + index) % (session.minibatch?.indices.length ?? 1);
          explained = explain(session, digit, { name: tensor, kind, index, example });
        } catch (error) {
          if (error instanceof GradscopeError && error.code === 'not-now') return;
          throw error;
        }
        const { explanation } = explained;
        forms.add(
          explanation.form === 'passed' ? `${explanation.rule} ${explanation.direction}` : explanation.form,
        );
        const distance = discrepancy(explained);
        if (distance > found.worst) {
          found = {
            worst: distance,
            what: `${kind} ${String(index)} of ${tensor}: ${JSON.stringify(explanation)}`,
          };
        }
      }
    };
    for (const parameter of session.plan.parameters) {
      ask(parameter.name, 'gradient', parameter.size);
      ask(parameter.name, 'update', parameter.size);
    }
    const askLayer = ({ spec, outputShape }: LayerPlan): void => {
      for (const kind of ['output', 'error', 'digitOutput', 'digitError'] as const) {
        ask(spec.name, kind, sizeOf(outputShape));
      }
    };
    session.plan.layers.forEach(askLayer);
    return { ...found, forms };
  };

  // Catches: an index, a flip, a mask, an edge or a missing bias in any of the sums, in any network of any shape, in either loop.
  it.each(['imperative', 'fit'] as const)(
    'adds up to what the tensors hold, for values of random networks trained by the %s loop',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(arbitraryNetwork, fc.nat(1e6), async (network, seed) => {
          const [, ...image] = network.spec.input;
          // A dataset has one channel.
          const spec = { ...network.spec, input: [1, ...image] as [number, number, number] };
          const optimiser = OPTIMISERS[seed % OPTIMISERS.length]!;
          const recipe: Recipe = { ...TINY_RECIPE, network: spec, optimiser, batchSize: 3 };
          const { session, digit } = make(recipe, noiseFor(network), seed);
          await trainLooking(session, mode, () => {
            const { worst, what } = askAll(session, digit, 4, seed);
            expect(worst, what).toBeLessThan(TOLERANCE);
          });
          digit.dispose();
          session.dispose();
        }),
        { numRuns: name === 'cpu' ? 25 : 40 },
      );
    },
  );

  // Catches: a sum over fewer or more places than the engine's, through which a NaN or an infinity comes or does not.
  it('is no finite number just where the tensor is none, and then the same one', async () => {
    const bad = fc.constantFrom(Number.NaN, Infinity, -Infinity);
    await fc.assert(
      fc.asyncProperty(arbitraryNetwork, fc.nat(1e6), bad, async (network, seed, value) => {
        const [, ...image] = network.spec.input;
        const spec = { ...network.spec, input: [1, ...image] as [number, number, number] };
        const recipe: Recipe = { ...TINY_RECIPE, network: spec, batchSize: 3 };
        const { session, digit } = make(recipe, noiseFor(network), seed);
        const { parameters } = session.plan;
        const { name: tensor, size } = parameters[seed % parameters.length]!;
        session.setWeight(tensor, seed % size, value);
        const look = (): void => {
          const { worst, what } = askAll(session, digit, 20, seed);
          expect(worst, what).toBeLessThan(TOLERANCE);
        };
        await trainLooking(session, 'imperative', look, 1);
        digit.dispose();
        session.dispose();
      }),
      { numRuns: 25 },
    );
  });

  // Catches: float32 sums of the real network's 36,864 terms that leave the tolerance, where small networks cannot show it.
  it.each(RECIPES)('adds up in the network of $name', async (recipe) => {
    const { session, digit } = make(recipe, mnist, 1);
    const forms = new Set<string>();
    let asked = 0;
    const look = (): void => {
      asked += 1;
      // The last place of a step and the one after it see everything.
      if (session.phase !== 'backward' && session.phase !== 'step') return;
      const all = askAll(session, digit, 6, asked);
      expect(all.worst, all.what).toBeLessThan(TOLERANCE);
      for (const form of all.forms) forms.add(form);
    };
    // Plain JavaScript takes long for a step.
    await trainLooking(session, 'imperative', look, name === 'cpu' ? 1 : 2);
    digit.dispose();
    session.dispose();
    const passing = new Set(
      recipe.network.layers
        .map(({ kind }) => kind)
        .filter((kind) => !['conv2d', 'dense', 'maxPool2d', 'averagePool2d'].includes(kind)),
    );
    const pooling = recipe.network.layers.some(({ kind }) => kind === 'averagePool2d') ? 'mean' : 'maximum';
    expect([...forms].sort()).toEqual(
      [
        ...['window', 'terms', pooling, 'shares', 'loss', 'update'],
        ...[...passing].flatMap((kind) => [`${kind} forward`, `${kind} backward`]),
      ].sort(),
    );
  });

  // Catches: a bound that holds only where y is far from 1: of 1 - y^2 or 1 - y a float32 then has few digits.
  it.each(['tanh', 'sigmoid'] as const)('adds up where %s is saturated', async (kind) => {
    const layers: Recipe['network']['layers'] = [
      { kind: 'conv2d', name: 'conv1', filters: 4, kernelSize: 3, stride: 1, padding: 1 },
      { kind, name: 'curve1' },
      { kind: 'averagePool2d', name: 'pool1', size: 2, stride: 2, padding: 0 },
      { kind: 'flatten', name: 'flatten' },
      { kind: 'dense', name: 'fc1', units: 12 },
      { kind, name: 'curve2' },
      { kind: 'dense', name: 'fc2', units: 10 },
    ];
    const network: Recipe['network'] = { input: [1, 28, 28], layers, loss: 'softmaxCrossEntropy' };
    const { session, digit } = make({ ...TINY_RECIPE, network }, mnist, 5);
    for (const name of ['conv1.weight', 'fc1.weight']) {
      const values = session.mirror(name).weight.values.slice(0, 400);
      for (const [i, value] of values.entries()) session.setWeight(name, i, value * 12);
    }
    await trainLooking(
      session,
      'imperative',
      () => {
        if (session.phase !== 'backward') return;
        const { worst, what } = askAll(session, digit, 60, session.step);
        expect(worst, what).toBeLessThan(TOLERANCE);
      },
      1,
    );
    const saturated = session.readLayer('curve1', 'activation').values;
    expect(saturated.filter((y) => Math.abs(y) > 0.9999).length).toBeGreaterThan(50);
    digit.dispose();
    session.dispose();
  });

  // Catches: looking that writes into a buffer of the engine, of fit()'s optimiser or of the mirrors, or draws random numbers.
  it.each(['imperative', 'fit'] as const)(
    'changes nothing of a run that the %s loop trains',
    async (mode) => {
      const undisturbed = make(TINY_RECIPE, tinyDataset(), 3);
      await trainLooking(undisturbed.session, mode, () => undefined, 7);
      const looked = make(TINY_RECIPE, tinyDataset(), 3);
      const { session, digit } = looked;
      await trainLooking(
        session,
        mode,
        () => {
          const before = seen(session);
          askAll(session, digit, 5, session.step);
          expect(seen(session)).toEqual(before);
        },
        7,
      );
      expect(seen(session)).toEqual(seen(undisturbed.session));
      for (const { session: each, digit: probe } of [undisturbed, looked]) {
        probe.dispose();
        each.dispose();
      }
    },
  );
});

/** Everything that can be seen of a session, as values. */
function seen(session: Session): unknown {
  const { step, epoch, stepInEpoch, phase, minibatch, inStep, plan } = session;
  const parameters = plan.parameters.map((parameter) => {
    const state = stateSlots(session.recipe.optimiser).map((slot) => {
      const values = new Float32Array(parameter.size);
      session.network.readParameter(parameter, slot, values);
      return values;
    });
    return { state, ...structuredClone(session.mirror(parameter.name)) };
  });
  return { step, epoch, stepInEpoch, phase, minibatch, inStep, parameters, sha256: session.weightsSha256() };
}
