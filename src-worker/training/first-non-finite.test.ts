import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropoutMask } from '../../src-shared/model/dropout-mask';
import { planNetwork, sizeOf, type NetworkPlan } from '../../src-shared/model/network';
import { stateSlots, type OptimiserSpec } from '../../src-shared/model/optimiser';
import type { Recipe } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, type EngineName } from '../../src-shared/model/run-config';
import { countNonFinite } from '../../src-shared/tensor/statistics';
import type { Dataset } from '../data/dataset';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { arbitraryNetwork } from '../engine/testing/arbitrary-network';
import { describeEngines } from '../engine/testing/describe-engines';
import { entry, uniform } from '../engine/testing/drive';
import { applyLayer } from '../engine/testing/float64-network';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import type { NonFiniteReport } from './first-non-finite';
import { FitLoop } from './fit-loop';
import { FitTime } from './fit-time';
import { ImperativeLoop } from './imperative-loop';
import { Session } from './session';

const EXAMPLES = 3;
const FLOAT32_MAX = 3.4028234663852886e38;
const SGD: OptimiserSpec = { kind: 'sgd', learningRate: 0.1, momentum: 0.5, nesterov: false, weightDecay: 0 };
/** Its updates leave float32's range from gradients of about 1 on. */
const WILD: OptimiserSpec = { ...SGD, learningRate: 2e38, momentum: 0.9, nesterov: true, weightDecay: 0.1 };
const ADAM: OptimiserSpec = {
  kind: 'adam',
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};

function datasetFor(plan: NetworkPlan): Dataset {
  const [channels, height, width] = plan.spec.input;
  const pixels = Uint8Array.from(uniform(EXAMPLES * channels * height * width, 7), (v) => (v + 1) * 127);
  const labels = Uint8Array.from({ length: EXAMPLES }, (_, i) => i % plan.classes);
  const examples = { count: EXAMPLES, pixels, labels };
  return { name: 'noise', channels, height, width, classes: plan.classes, train: examples, test: examples };
}

const recipeFor = (plan: NetworkPlan, optimiser: OptimiserSpec): Recipe => ({
  ...TINY_RECIPE,
  network: plan.spec,
  optimiser,
  batchSize: EXAMPLES,
});

/** Weights that are made too large, infinite or NaN: which parameter, which of its values, and what it becomes. */
interface Poison {
  readonly parameter: number;
  readonly index: number;
  readonly value: number;
}

const arbitraryPoisons = fc.array(
  fc.record({
    parameter: fc.nat(),
    index: fc.nat(),
    value: fc.constantFrom(NaN, Infinity, -Infinity, 3e38, -3e38, 3e38, -3e38, 1e25, -1e25, 1e19, -1e19),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Powers of ten: what is small on the way forward and large on the way back overflows there alone. */
const arbitraryScales = fc.array(fc.constantFrom(-38, -30, -20, 0, 0, 19, 20, 30, 37), {
  minLength: 1,
  maxLength: 4,
});

function scale(session: Session, scales: readonly number[]): void {
  for (const { name, layerIndex, role } of session.plan.parameters) {
    // A bias would be as large on the way forward as on the way back.
    const isScaled = scales.some((power) => power !== 0);
    const factor = role === 'bias' && isScaled ? 0 : 10 ** scales[layerIndex % scales.length]!;
    const values = session.mirror(name).weight.values.slice();
    for (const [i, value] of values.entries()) session.setWeight(name, i, value * factor);
  }
}

function poison(session: Session, poisons: readonly Poison[]): void {
  const { parameters } = session.plan;
  for (const { parameter, index, value } of poisons) {
    const { name, size } = parameters[parameter % parameters.length]!;
    session.setWeight(name, index % size, value);
  }
}

function step(session: Session): void {
  session.beginStep();
  session.zeroGradients();
  for (const layer of session.plan.layers) session.forward(layer);
  session.loss();
  for (const layer of session.plan.layers.toReversed()) session.backward(layer);
  session.update();
  session.finishStep();
}

/** The same step with every tensor looked at as soon as it is there. */
function walk(session: Session): NonFiniteReport | null {
  let found: NonFiniteReport | null = null;
  const { plan, recipe } = session;
  const at = session.step + 1;
  const look = (
    place: Pick<NonFiniteReport, 'phase' | 'layer' | 'tensor' | 'kind'>,
    values: Float32Array,
  ): void => {
    const counts = countNonFinite(values);
    if (found === null && counts.nan + counts.infinite > 0) found = { step: at, ...place, ...counts };
  };
  session.beginStep();
  session.zeroGradients();
  for (const layer of plan.layers) {
    const { name } = layer.spec;
    session.forward(layer);
    for (const parameter of layer.parameters) {
      const { values } = session.mirror(parameter.name).weight;
      look({ phase: 'forward', layer: name, tensor: parameter.name, kind: 'weight' }, values);
    }
    const { values } = session.readLayer(name, 'activation');
    look({ phase: 'forward', layer: name, tensor: name, kind: 'output' }, values);
  }
  const { loss } = session.loss();
  look({ phase: 'loss', layer: null, tensor: 'loss', kind: 'loss' }, Float32Array.of(loss));
  for (const layer of plan.layers.toReversed()) {
    session.backward(layer);
    for (const parameter of layer.parameters) {
      const { values } = session.mirror(parameter.name).gradient;
      const { name } = layer.spec;
      look({ phase: 'backward', layer: name, tensor: parameter.name, kind: 'gradient' }, values);
    }
    const before = plan.layers[layer.index - 1];
    if (before === undefined) continue;
    const { name } = before.spec;
    const { values } = session.readLayer(name, 'error');
    look({ phase: 'backward', layer: name, tensor: name, kind: 'error' }, values);
  }
  session.update();
  for (const parameter of plan.parameters) {
    const layer = plan.layers[parameter.layerIndex]!.spec.name;
    const place = { phase: 'step', layer, tensor: parameter.name } as const;
    for (const slot of stateSlots(recipe.optimiser)) {
      const values = new Float32Array(parameter.size);
      session.network.readParameter(parameter, slot, values);
      look({ ...place, kind: slot }, values);
    }
    look({ ...place, kind: 'weight' }, session.mirror(parameter.name).weight.values);
    look({ ...place, kind: 'update' }, session.mirror(parameter.name).update.values);
  }
  session.finishStep();
  return found;
}

/**
 * Where the forward pass meets the first NaN or infinity, in float64 and from the definitions. Null: nowhere. Undefined: a sum
 * ends within float32's range, but may leave it in between, so it depends on the order of its terms.
 */
function float64Forward(session: Session): { tensor: string; values: number } | null | undefined {
  const { plan } = session;
  const weights = new Map<string, Float64Array>();
  const magnitudes = new Map<string, Float64Array>();
  for (const { name } of plan.parameters) {
    const { values } = session.mirror(name).weight;
    weights.set(name, Float64Array.from(values));
    magnitudes.set(name, Float64Array.from(values, Math.abs));
  }
  session.beginStep();
  const size = sizeOf(plan.spec.input);
  const images = new Float32Array(EXAMPLES * size);
  for (let i = 0; i < EXAMPLES; i++)
    images.set(session.readExample('input', 'activation', i)?.values ?? [], i * size);
  const masks = new Map(
    plan.layers.flatMap((layer) =>
      layer.spec.kind === 'dropout'
        ? [[layer.spec.name, dropoutMask(layer, EXAMPLES, DEFAULT_RUN_CONFIG.seed, 1)] as const]
        : [],
    ),
  );
  const batch = { n: EXAMPLES, images, labels: new Uint8Array(EXAMPLES), masks };
  session.abandonStep();
  let rows: number[][] = Array.from({ length: EXAMPLES }, (_, i) => [
    ...images.subarray(i * size, (i + 1) * size),
  ]);
  for (const layer of plan.layers) {
    for (const { name } of layer.parameters) {
      const { nan, infinite } = countNonFinite(entry(weights, name));
      if (nan + infinite > 0) return { tensor: name, values: nan + infinite };
    }
    const most = rows.flatMap((row, i) => applyLayer(layer, magnitudes, batch, i, row.map(Math.abs)));
    rows = rows.map((row, i) => applyLayer(layer, weights, batch, i, row).map(Math.fround));
    const bad = rows.flat().filter((value) => !Number.isFinite(value)).length;
    const isOpen = rows.flat().some((value, i) => Number.isFinite(value) && most[i]! > FLOAT32_MAX * 0.999);
    if (isOpen && layer.parameters.length + Number(layer.spec.kind === 'averagePool2d') > 0) return undefined;
    if (bad > 0) return { tensor: layer.spec.name, values: bad };
  }
  return null;
}

describeEngines('the first NaN or infinity on %s', (name: EngineName) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(name));
  });
  afterAll(() => {
    engine.dispose();
  });

  const withSession = <T>(plan: NetworkPlan, optimiser: OptimiserSpec, use: (session: Session) => T): T => {
    const recipe = recipeFor(plan, optimiser);
    const session = new Session({ engine, dataset: datasetFor(plan), recipe, config: DEFAULT_RUN_CONFIG });
    try {
      return use(session);
    } finally {
      session.dispose();
    }
  };

  // Catches: a place that a bound calls safe and that is not, one that a fused kernel hides, and a later one that is named instead.
  it('is where one finds it who looks at every tensor of two steps', () => {
    const met = new Set<NonFiniteReport['kind'] | null>();
    fc.assert(
      fc.property(
        arbitraryNetwork,
        fc.oneof(
          fc.record({ scales: arbitraryScales, poisons: fc.constant([]) }),
          fc.record({ scales: fc.constant([0]), poisons: arbitraryPoisons }),
        ),
        fc.constantFrom(SGD, ADAM, WILD),
        (plan, { scales, poisons }, optimiser) => {
          const prepare = (session: Session): void => {
            scale(session, scales);
            poison(session, poisons);
          };
          const free = withSession(plan, optimiser, (session) => {
            prepare(session);
            step(session);
            step(session);
            return session.nonFinite;
          });
          const walked = withSession(plan, optimiser, (session) => {
            prepare(session);
            return walk(session) ?? walk(session);
          });
          expect(free).toEqual(walked);
          met.add(walked?.kind ?? null);
        },
      ),
      { numRuns: 300, seed: 13 },
    );
    // Otherwise this would test less than it says.
    const kinds = ['weight', 'output', 'gradient', 'secondMoment', null] as const;
    for (const kind of kinds) expect(met).toContain(kind);
  });

  // Catches: an error that overflows behind a ReLU that stops it, so that every gradient is finite.
  it('is said of an error on its way back', () => {
    const plan = planNetwork({
      input: [1, 6, 6],
      layers: [
        { kind: 'conv2d', name: 'conv1', filters: 3, kernelSize: 3, stride: 1, padding: 0 },
        { kind: 'relu', name: 'relu1' },
        { kind: 'maxPool2d', name: 'pool1', size: 2, stride: 2, padding: 0 },
        { kind: 'conv2d', name: 'conv2', filters: 3, kernelSize: 2, stride: 1, padding: 0 },
        { kind: 'relu', name: 'relu2' },
        { kind: 'flatten', name: 'flatten' },
        { kind: 'dense', name: 'fc1', units: 4 },
      ],
      loss: 'softmaxCrossEntropy',
    });
    // No smaller: TensorFlow takes subnormal numbers for 0, and then no error comes as far as here.
    const scales = [-36, 0, 0, 30, 0, 0, 30];
    const walked = withSession(plan, SGD, (session) => {
      scale(session, scales);
      return walk(session);
    });
    expect(walked).toMatchObject({ phase: 'backward', layer: 'pool1', tensor: 'pool1', kind: 'error' });
    const free = withSession(plan, SGD, (session) => {
      scale(session, scales);
      step(session);
      return session.nonFinite;
    });
    expect(free).toEqual(walked);
  });

  // Catches: an overflow in a layer that is believed where the arithmetic says otherwise.
  it('is where float64 arithmetic has it', () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryNetwork, arbitraryPoisons, (plan, poisons) => {
        withSession(plan, SGD, (session) => {
          poison(session, poisons);
          const expected = float64Forward(session);
          if (expected === undefined) return;
          compared++;
          session.beginStep();
          session.zeroGradients();
          for (const layer of plan.layers) session.forward(layer);
          const met = session.nonFinite;
          expect(met === null ? null : { tensor: met.tensor, values: met.nan + met.infinite }).toEqual(
            expected,
          );
        });
      }),
      { numRuns: 150, seed: 29 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('is said in both loops, hidden by ReLU and max-pool, and the bits stay', async () => {
    const dataset = tinyDataset();
    for (const mode of ['imperative', 'fit'] as const) {
      const session = new Session({ engine, dataset, recipe: TINY_RECIPE, config: DEFAULT_RUN_CONFIG });
      // 3e38 x ink overflows; the other two filters go on.
      session.setWeight('conv1.weight', 4, -3e38);
      const gate = {
        beforeStep: () => (session.step < 1 ? ('go' as const) : ('leave' as const)),
        reached: () => undefined,
      };
      const loop =
        mode === 'fit'
          ? new FitLoop(session, gate, () => undefined, new FitTime(() => 0))
          : new ImperativeLoop(session, gate, () => undefined);
      await loop.run();
      expect(session.nonFinite, mode).toMatchObject({
        step: 1,
        phase: 'forward',
        layer: 'conv1',
        tensor: 'conv1',
      });
      expect(session.nonFinite?.infinite, mode).toBeGreaterThan(0);
      session.dispose();
    }
  });
});

describe('after weights were made sound', () => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine('simd'));
  });
  afterAll(() => {
    engine.dispose();
  });
  const newSession = (): Session =>
    new Session({ engine, dataset: tinyDataset(), recipe: TINY_RECIPE, config: DEFAULT_RUN_CONFIG });

  it('by a file, the next is the first again', () => {
    const session = newSession();
    const sound = session.exportWeights().slice();
    session.setWeight('conv1.bias', 0, -Infinity);
    step(session);
    expect(session.nonFinite).toMatchObject({ step: 1, phase: 'forward', tensor: 'conv1.bias', infinite: 1 });
    session.importWeights(sound, 'sound.safetensors');
    expect(session.nonFinite).toBeNull();
    step(session);
    expect(session.nonFinite).toBeNull();
    session.setWeight('fc1.bias', 0, NaN);
    step(session);
    expect(session.nonFinite).toMatchObject({ step: 3, tensor: 'fc1.bias', nan: 1 });
    session.dispose();
  });

  it('by hand, only when all of them are', () => {
    const session = newSession();
    const before = session.mirror('conv1.bias').weight.values[0]!;
    session.setWeight('conv1.bias', 0, -Infinity);
    session.setWeight('conv1.bias', 1, -Infinity);
    step(session);
    const { nonFinite } = session;
    session.setWeight('conv1.bias', 0, before);
    expect(session.nonFinite).toBe(nonFinite);
    session.dispose();
  });
});
