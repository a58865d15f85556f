import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planNetwork, type LayerPlan, type NetworkPlan } from '../../src-shared/model/network';
import { RECIPES } from '../../src-shared/model/recipe';
import type { Engine } from './engine';
import { openEngine } from './index';
import { arbitraryNetwork } from './testing/arbitrary-network';
import { describeEngines } from './testing/describe-engines';
import {
  backwardAll,
  entry,
  forwardAll,
  randomMinibatch,
  randomWeights,
  readAll,
  relativeDifference,
  writeAll,
  type Minibatch,
} from './testing/drive';
import { float64Loss } from './testing/float64-network';

interface LossAndGradients {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

const stock = new Map<string, LossAndGradients>();

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const recipe of RECIPES) {
    stock.set(recipe.name, await stockGradients(...caseOf(planNetwork(recipe.network))));
  }
});

describeEngines('%s', (name) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(name));
  });
  afterAll(() => {
    engine.dispose();
  });

  const explicitGradients = (
    plan: NetworkPlan,
    weights: ReadonlyMap<string, Float32Array>,
    batch: Minibatch,
  ): LossAndGradients => {
    const network = engine.createNetwork(plan);
    writeAll(network, weights);
    const pass = network.createPass();
    const { loss } = forwardAll(pass, plan, batch);
    backwardAll(pass, plan);
    const gradients = readAll(network, 'gradient');
    network.dispose();
    return { loss, gradients };
  };

  // Catches: a vector-Jacobian product that is not the derivative of its own forward pass, in any network of any shape.
  it('has the gradients that finite differences of the loss give, in networks of every shape', () => {
    fc.assert(
      fc.property(arbitraryNetwork, fc.integer({ min: 1, max: 4 }), fc.nat(1e6), (plan, n, seed) => {
        const weights = randomWeights(plan, seed);
        const batch = randomMinibatch(plan, n, seed, { dropout: true });
        const { loss, gradients } = explicitGradients(plan, weights, batch);
        const exact = new Map([...weights].map(([key, values]) => [key, Float64Array.from(values)]));
        expect(loss).toBeCloseTo(float64Loss(plan, exact, batch), 5);
        for (const [parameter, values] of exact) {
          const stride = Math.ceil(values.length / 12);
          const checked = values.map((_, i) => i).filter((i) => i % stride === 0);
          const differences = Float32Array.from(checked, (i) =>
            centralDifference(plan, exact, batch, values, i),
          );
          const analytic = Float32Array.from(checked, (i) => entry(gradients, parameter)[i]!);
          const largest = differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);
          analytic.forEach((value, i) => {
            expect(Math.abs(value - differences[i]!), `${parameter}[${checked[i]!}]`).toBeLessThan(
              1e-5 * largest,
            );
          });
        }
      }),
      { numRuns: 300, seed: 20221109 },
    );
  });

  // Catches: a formula that agrees with itself but not with what everybody else calls these layers.
  it.each(RECIPES.map((recipe) => [recipe.name, recipe] as const))(
    "has the gradients of tfjs's stock layers under its autodiff, for %s",
    (recipeName, recipe) => {
      const expected = entry(stock, recipeName);
      const actual = explicitGradients(...caseOf(planNetwork(recipe.network)));
      expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(1e-5);
      for (const [parameter, gradient] of expected.gradients) {
        expect(relativeDifference(entry(actual.gradients, parameter), gradient), parameter).toBeLessThan(
          1e-5,
        );
      }
    },
  );
});

const caseOf = (plan: NetworkPlan): [NetworkPlan, ReadonlyMap<string, Float32Array>, Minibatch] => [
  plan,
  randomWeights(plan, 7),
  randomMinibatch(plan, 4, 7, { dropout: false }),
];

/** In float64 with a step of 1e-6: good to about nine digits, and hardly ever across a kink. */
function centralDifference(
  plan: NetworkPlan,
  weights: ReadonlyMap<string, Float64Array>,
  batch: Minibatch,
  values: Float64Array,
  i: number,
): number {
  const step = 1e-6;
  const kept = values[i]!;
  values[i] = kept + step;
  const above = float64Loss(plan, weights, batch);
  values[i] = kept - step;
  const below = float64Loss(plan, weights, batch);
  values[i] = kept;
  return (above - below) / (2 * step);
}

/** tfjs-layers' own conv2d, maxPooling2d, reLU and dense, differentiated by tfjs, on the active backend; dropout off. */
async function stockGradients(
  plan: NetworkPlan,
  weights: ReadonlyMap<string, Float32Array>,
  batch: Minibatch,
): Promise<LossAndGradients> {
  const [channels, height, width] = plan.spec.input;
  const model = tfl.sequential({
    layers: [tfl.layers.inputLayer({ inputShape: [height, width, channels] })],
  });
  for (const layer of plan.layers) for (const each of stockLayers(layer)) model.add(each);
  for (const { parameters, spec } of plan.layers) {
    const [weight, bias] = parameters;
    if (weight === undefined || bias === undefined) continue;
    const inPytorchLayout = tf.tensor(entry(weights, weight.name), [...weight.shape]);
    model
      .getLayer(spec.name)
      .setWeights([
        tf.transpose(inPytorchLayout, weight.shape.length === 4 ? [2, 3, 1, 0] : [1, 0]),
        tf.tensor(entry(weights, bias.name)),
      ]);
  }
  const images = tf.transpose(tf.tensor4d(batch.images, [batch.n, channels, height, width]), [0, 2, 3, 1]);
  // What the loss takes for logits: in the recipe with the mistake, probabilities.
  const logitsOf = (output: tf.Tensor): tf.Tensor =>
    plan.spec.loss === 'softmaxOfSoftmaxCrossEntropy' ? tf.softmax(output) : output;
  const labels = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), plan.classes);
  const { value, grads } = tf.variableGrads(() =>
    tf.losses.softmaxCrossEntropy(labels, logitsOf(model.predict(images) as tf.Tensor)),
  );
  const gradients = new Map<string, Float32Array>();
  for (const [index, parameter] of plan.parameters.entries()) {
    const gradient = grads[model.trainableWeights[index]!.name]!;
    const inPytorchLayout =
      gradient.shape.length === 4
        ? tf.transpose(gradient, [3, 2, 0, 1])
        : gradient.shape.length === 2
          ? tf.transpose(gradient)
          : gradient;
    gradients.set(parameter.name, (await inPytorchLayout.data<'float32'>()).slice());
  }
  const loss = (await value.data<'float32'>())[0]!;
  tf.disposeVariables();
  return { loss, gradients };
}

function stockLayers({ spec }: LayerPlan): tfl.layers.Layer[] {
  const { name } = spec;
  switch (spec.kind) {
    case 'conv2d':
      return [
        ...padded(spec.padding),
        tfl.layers.conv2d({ name, filters: spec.filters, kernelSize: spec.kernelSize, strides: spec.stride }),
      ];
    case 'maxPool2d':
      return [tfl.layers.maxPooling2d({ name, poolSize: spec.size, strides: spec.stride })];
    case 'averagePool2d':
      return [
        ...padded(spec.padding),
        tfl.layers.averagePooling2d({ name, poolSize: spec.size, strides: spec.stride }),
      ];
    case 'relu':
      return [tfl.layers.reLU({ name })];
    case 'leakyRelu':
      return [tfl.layers.leakyReLU({ name, alpha: spec.slope })];
    case 'sigmoid':
    case 'tanh':
      return [tfl.layers.activation({ name, activation: spec.kind })];
    case 'dropout':
      return [];
    case 'flatten':
      // Ours is channel first.
      return [tfl.layers.permute({ dims: [3, 1, 2] }), tfl.layers.flatten({ name })];
    case 'dense':
      return [tfl.layers.dense({ name, units: spec.units })];
  }
}

const padded = (padding: number): tfl.layers.Layer[] =>
  padding === 0 ? [] : [tfl.layers.zeroPadding2d({ padding })];
