import { afterAll, beforeAll, expect, it } from 'vitest';
import { planNetwork, sizeOf } from '../../src-shared/model/network';
import { stateSlots } from '../../src-shared/model/optimiser';
import { recipeNamed, type Recipe } from '../../src-shared/model/recipe';
import { openDataset, type ExampleSet } from '../data/dataset';
import { openEngine } from './index';
import type { Engine } from './engine';
import { describeEngines } from './testing/describe-engines';
import {
  backwardAll,
  entry,
  errorOf,
  forwardAll,
  outputOf,
  readAll,
  relativeDifference,
  trainStep,
  writeAll,
  type Minibatch,
} from './testing/drive';
import { layerFixtures, optimiserFixture, parityFixture } from './testing/fixtures';

const OPTIMISERS = optimiserFixture();
/**
 * In one of these steps two pixels of a pooling window tie but for the last bit, so rounding decides which of them gets the error;
 * and a bias that began at 0 is all change.
 */
const NEAR_TIE = new Set(['keras-double-softmax conv1.bias', 'keras-double-softmax conv2.bias']);
const PAPER_RECIPES = ['pytorch-paper', 'keras-paper', 'keras-double-softmax'].map(recipeNamed);

describeEngines('%s, held to real PyTorch', (name) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(name));
  });
  afterAll(() => {
    engine.dispose();
  });

  // Catches: a wrong formula, layout, tie or NaN rule in any layer's forward or backward pass.
  const fixtures = layerFixtures();
  it.each(fixtures.cases.map((fixture) => [fixture.name, fixture] as const))(
    'gives every output, error and gradient of the network %s',
    (prefix, fixture) => {
      const of = (tensor: string): Float32Array => entry(fixtures.tensors, `${prefix}/${tensor}`);
      const plan = planNetwork(fixture.network);
      const network = engine.createNetwork(plan);
      writeAll(network, new Map(plan.parameters.map((parameter) => [parameter.name, of(parameter.name)])));
      const pass = network.createPass();
      const dropouts = plan.layers.filter(({ spec }) => spec.kind === 'dropout');
      const { loss, correct } = forwardAll(pass, plan, {
        n: fixture.n,
        images: of('images'),
        labels: Uint8Array.from(fixture.labels),
        masks: new Map(dropouts.map(({ spec }) => [spec.name, of(`${spec.name}.mask`)])),
      });
      backwardAll(pass, plan);

      expectClose('loss', Float32Array.of(loss), of('loss'));
      expect(correct).toBe(fixture.correct);
      for (const layer of plan.layers) {
        const layerName = layer.spec.name;
        expectClose(`${layerName}.output`, outputOf(pass, layer, fixture.n), of(`${layerName}.output`));
        expectClose(`${layerName}.error`, errorOf(pass, layer, fixture.n), of(`${layerName}.error`));
      }
      for (const [parameter, gradient] of readAll(network, 'gradient')) {
        expectClose(`${parameter}.gradient`, gradient, of(`${parameter}.gradient`));
      }
      network.dispose();
    },
  );

  // Catches: a formula of an optimiser that is another library's (tfjs's Adam, for one, has its epsilon elsewhere), weight decay
  // that is decoupled, a bias correction of the step before.
  it.each(Object.entries(OPTIMISERS.optimisers))(
    'updates weights and state as torch.optim does: %s',
    (optimiser, settings) => {
      const { n, labels, network: spec, tensors } = OPTIMISERS;
      const plan = planNetwork(spec);
      const network = engine.createNetwork(plan);
      writeAll(
        network,
        new Map(plan.parameters.map((each) => [each.name, entry(tensors, `initial.${each.name}`)])),
      );
      const pass = network.createPass();
      const images = entry(tensors, 'images');
      const size = images.length / labels.length;
      labels.forEach((ofStep, step) => {
        const batch = {
          n,
          images: images.subarray(step * size, (step + 1) * size),
          labels: Uint8Array.from(ofStep),
          masks: new Map(),
        };
        trainStep(network, pass, batch, settings, step + 1);
        const seen = settings.kind === 'sgd' && settings.momentum === 0 ? [] : stateSlots(settings);
        for (const what of ['weight', ...seen] as const) {
          for (const [parameter, values] of readAll(network, what)) {
            const key = `${optimiser}/${step + 1}/${what}.${parameter}`;
            expectClose(key, values, entry(tensors, key));
          }
        }
      });
      network.dispose();
    },
  );

  // Catches: anything that lets a training run drift from PyTorch's, however small per step.
  it.each(PAPER_RECIPES.map((recipe) => [recipe.name, recipe] as const))(
    'follows the recipe %s on MNIST step by step',
    (recipeName, recipe) => {
      const { runs, tensors } = parityFixture(recipeName);
      // The run of the fast engines is the longer one.
      const run = name === 'cpu' ? 'cpu' : 'wasm';
      const { steps, batchSize, losses } = runs[run];
      const plan = planNetwork(recipe.network);
      const network = engine.createNetwork(plan);
      const initial = new Map(
        plan.parameters.map((parameter) => [parameter.name, entry(tensors, `initial.${parameter.name}`)]),
      );
      writeAll(network, initial);
      const pass = network.createPass();
      const { train } = openDataset();
      for (let step = 0; step < steps; step++) {
        const batch = consecutiveImages(train, recipe, step * batchSize, batchSize);
        const loss = trainStep(network, pass, batch, recipe.optimiser);
        expect(Math.abs(loss / losses[step]! - 1), `loss of step ${step + 1}`).toBeLessThan(1e-4);
      }
      const weights = readAll(network, 'weight');
      for (const [parameter, trained] of weights) {
        const theirs = entry(tensors, `${run}.${parameter}`);
        const limit = NEAR_TIE.has(`${recipeName} ${parameter}`) ? 1e-3 : 1e-4;
        expect(relativeDifference(trained, theirs), parameter).toBeLessThan(limit);
        const start = entry(tensors, `initial.${parameter}`);
        const change = (values: Float32Array): Float32Array => values.map((value, i) => value - start[i]!);
        expect(relativeDifference(change(trained), change(theirs)), `${parameter}, change`).toBeLessThan(
          1e-3,
        );
      }
      network.dispose();
    },
  );
});

/** NaN and infinities where PyTorch has them; elsewhere within 4e-6 of the tensor's largest finite value. */
function expectClose(what: string, actual: Float32Array, expected: Float32Array): void {
  expect(actual.length, what).toBe(expected.length);
  const largest = expected.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );
  expected.forEach((value, i) => {
    const label = `${what}[${i}]: ${actual[i]!}, PyTorch has ${value}`;
    if (Number.isFinite(value))
      expect(Math.abs(actual[i]! - value), label).toBeLessThanOrEqual(4e-6 * largest);
    else expect(Object.is(actual[i], value), label).toBe(true);
  });
}

function consecutiveImages(set: ExampleSet, recipe: Recipe, from: number, n: number): Minibatch {
  const size = sizeOf(recipe.network.input);
  const { mean, deviation } = recipe.input;
  return {
    n,
    images: Float32Array.from(
      set.pixels.subarray(from * size, (from + n) * size),
      (byte) => (byte / 255 - mean) / deviation,
    ),
    labels: set.labels.slice(from, from + n),
    masks: new Map(),
  };
}
