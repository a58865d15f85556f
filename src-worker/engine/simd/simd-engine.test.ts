import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  planNetwork,
  type LayerPlan,
  type LayerSpec,
  type NetworkPlan,
} from '../../../src-shared/model/network';
import { dropoutMask } from '../../../src-shared/model/dropout-mask';
import { recipeNamed } from '../../../src-shared/model/recipe';
import type { Engine } from '../engine';
import { arbitraryNetwork } from '../testing/arbitrary-network';
import {
  backwardAll,
  contextOf,
  errorOf,
  outputOf,
  randomMinibatch,
  randomWeights,
  readAll,
  sgd,
  trainStep,
  writeAll,
} from '../testing/drive';
import { bestBuild } from './kernels';
import { openSimdEngine } from './simd-engine';

const SETTINGS = sgd(0.01, 0.5);
const PAPER = planNetwork(recipeNamed('pytorch-paper').network);
const conv = (name: string, filters: number, kernelSize: number, stride = 1, padding = 0): LayerSpec => ({
  kind: 'conv2d',
  name,
  filters,
  kernelSize,
  stride,
  padding,
});
const pool = (name: string): LayerSpec => ({ kind: 'maxPool2d', name, size: 2, stride: 2, padding: 0 });
/** Padding, strides and more filters than a tile holds, in a pass with the pool and without. */
const STRIDED = planNetwork({
  input: [3, 17, 15],
  layers: [
    conv('conv1', 13, 3, 1, 1),
    { kind: 'relu', name: 'relu1' },
    pool('pool1'),
    conv('conv2', 18, 3, 2, 1),
    { kind: 'dropout', name: 'dropout', rate: 0.5, unit: 'channel' },
    pool('pool2'),
    { kind: 'relu', name: 'relu2' },
    conv('conv3', 5, 2),
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dense', name: 'logits', units: 7 },
  ],
  loss: 'softmaxCrossEntropy',
});

/** What a few steps leave: every gradient and weight. */
function traces(engine: Engine, plan: NetworkPlan, n: number, seed = 1): Map<string, Float32Array>[] {
  const network = engine.createNetwork(plan);
  writeAll(network, randomWeights(plan, seed));
  const pass = network.createPass();
  const seen: Map<string, Float32Array>[] = [];
  for (let step = 0; step < 3; step++) {
    const batch = randomMinibatch(plan, step === 1 ? Math.ceil(n / 2) : n, seed + step, { dropout: true });
    trainStep(network, pass, batch, SETTINGS);
    seen.push(readAll(network, 'gradient'), readAll(network, 'weight'));
  }
  network.dispose();
  return seen;
}

const bits = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('the engine simd', () => {
  // Catches: a sum whose order depends on who computes it, an item that two threads take, or none.
  it.each([
    ['the paper', PAPER, 64],
    ['strides and paddings', STRIDED, 33],
  ])('gives the same bits on any number of threads: %s', async (_, plan, n) => {
    const results: Map<string, Float32Array>[][] = [];
    for (const threads of [1, 2, 3]) {
      const engine = await openSimdEngine({ threads });
      results.push(traces(engine, plan, n));
      engine.dispose();
    }
    const [one, ...others] = results;
    for (const other of others) expect(other).toEqual(one);
  });

  // Catches: helpers that hold on to a call that is over, in thousands of small ones.
  it('shares out thousands of calls, and leaves no buffer behind', async () => {
    const engine = await openSimdEngine({ threads: 3 });
    const before = engine.liveBuffers();
    const network = engine.createNetwork(STRIDED);
    const pass = network.createPass();
    const batch = randomMinibatch(STRIDED, 32, 1, { dropout: true });
    trainStep(network, pass, batch, SETTINGS);
    const after = engine.liveBuffers();
    for (let step = 0; step < 400; step++) {
      engine.threads?.use(1 + (step % 4));
      trainStep(network, pass, batch, SETTINGS);
    }
    expect(engine.liveBuffers()).toBe(after);
    network.dispose();
    expect(engine.liveBuffers()).toBe(before);
    engine.dispose();
  });

  it('goes on with the same bits when the number of threads changes', async () => {
    const weights: Map<string, Float32Array>[] = [];
    for (const counts of [[1], [3, 1, 2, 5, 0]]) {
      const engine = await openSimdEngine({ threads: 3 });
      const network = engine.createNetwork(PAPER);
      writeAll(network, randomWeights(PAPER, 1));
      const pass = network.createPass();
      const used: (number | undefined)[] = [];
      for (let step = 0; step < 10; step++) {
        engine.threads?.use(counts[step % counts.length]!);
        used.push(engine.threads?.inUse);
        trainStep(network, pass, randomMinibatch(PAPER, 64, step, { dropout: true }), SETTINGS);
      }
      if (counts.length > 1) expect(used.slice(0, 5)).toEqual([3, 1, 2, 3, 1]);
      weights.push(readAll(network, 'weight'));
      engine.dispose();
    }
    expect(weights[1]).toEqual(weights[0]);
  });

  it.each(['0', 'two', '1.5', '9'])('refuses GRADSCOPE_THREADS=%s', async (asked) => {
    vi.stubEnv('GRADSCOPE_THREADS', asked);
    await expect(openSimdEngine()).rejects.toThrow(
      `GRADSCOPE_THREADS takes a whole number from 1 to 8, not ${JSON.stringify(asked)}.`,
    );
    vi.unstubAllEnvs();
  });

  // Catches: a pass that computes several layers at once and gives other bits than the layers one by one; a look at what is
  // between them that changes what is trained.
  it('shows inside what it computes at once what it goes on with, in networks of every shape', async () => {
    const engine = await openSimdEngine({ threads: 1 });
    const look = (plan: NetworkPlan, n: number, seed: number): void => {
      const batch = randomMinibatch(plan, n, seed, { dropout: true });
      const results = [false, true].map((standing) => {
        const network = engine.createNetwork(plan);
        writeAll(network, randomWeights(plan, seed));
        const pass = network.createPass();
        network.zeroGradients();
        pass.load(batch.images, batch.labels, n);
        const shown: Float32Array[] = [];
        for (const layer of plan.layers) {
          pass.forward(layer, contextOf(batch));
          if (standing) shown.push(outputOf(pass, layer, n));
        }
        pass.loss();
        if (standing) {
          for (const layer of plan.layers.toReversed()) {
            shown.push(errorOf(pass, layer, n));
            pass.backward(layer, { parameters: true });
          }
        } else {
          backwardAll(pass, plan);
          shown.push(...plan.layers.map((layer) => outputOf(pass, layer, n)));
          shown.push(...plan.layers.toReversed().map((layer) => errorOf(pass, layer, n)));
        }
        const gradients = [...readAll(network, 'gradient').values()];
        network.dispose();
        return [...shown, ...gradients].map(bits);
      });
      expect(results[1]).toEqual(results[0]);
    };
    look(STRIDED, 5, 1);
    look(PAPER, 3, 2);
    fc.assert(
      fc.property(arbitraryNetwork, fc.integer({ min: 1, max: 4 }), fc.nat(1e6), (plan, n, seed) => {
        look(plan, n, seed);
      }),
      { numRuns: 100, seed: 20221109 },
    );
    engine.dispose();
  });

  // Catches: masks drawn within a pass of several layers that are not those which are read or computed one by one.
  it('draws the masks of layers that it computes together', async () => {
    const engine = await openSimdEngine({ threads: 2 });
    const [n, seed, step] = [33, 7, 3];
    const batch = randomMinibatch(STRIDED, n, 1, { dropout: false });
    const mask = (layer: LayerPlan): Float32Array => dropoutMask(layer, n, seed, step);
    const outputs = [{ mask }, { mask, draw: { seed, step } }].map((context) => {
      const network = engine.createNetwork(STRIDED);
      writeAll(network, randomWeights(STRIDED, 1));
      const pass = network.createPass();
      pass.load(batch.images, batch.labels, n);
      for (const layer of STRIDED.layers) pass.forward(layer, context);
      pass.loss();
      backwardAll(pass, STRIDED);
      const shown = STRIDED.layers.map((layer) => bits(outputOf(pass, layer, n)));
      return [...shown, ...[...readAll(network, 'gradient').values()].map(bits)];
    });
    expect(outputs[1]).toEqual(outputs[0]);
    engine.dispose();
  });

  // Catches: a layer computed together with others whose output is not what it would be alone.
  it.each([
    ['the paper', PAPER],
    ['strides and paddings', STRIDED],
  ])('computes layers together with the bits they have one by one: %s', async (_, plan) => {
    const engine = await openSimdEngine({ threads: 1 });
    const batch = randomMinibatch(plan, 4, 5, { dropout: true });
    const weights = randomWeights(plan, 5);
    const together = engine.createNetwork(plan);
    // A second pool of one pixel changes nothing but that nothing is computed together.
    const alonePlan = planNetwork({
      ...plan.spec,
      layers: plan.spec.layers.flatMap((spec): LayerSpec[] =>
        spec.kind === 'conv2d'
          ? [spec, { kind: 'maxPool2d', name: `${spec.name}.alone`, size: 1, stride: 1, padding: 0 }]
          : [spec],
      ),
    });
    const alone = engine.createNetwork(alonePlan);
    const outputs = [together, alone].map((network) => {
      writeAll(network, weights);
      const pass = network.createPass();
      pass.load(batch.images, batch.labels, batch.n);
      for (const layer of network.plan.layers) pass.forward(layer, contextOf(batch));
      const named = (layer: LayerPlan): boolean => !layer.spec.name.endsWith('.alone');
      return network.plan.layers.filter(named).map((layer) => bits(outputOf(pass, layer, batch.n)));
    });
    expect(outputs[0]).toEqual(outputs[1]);
    engine.dispose();
  });

  it.runIf(bestBuild() === 'relaxed')(
    'names the build it runs, and trains with either (only where Node knows relaxed SIMD, from 22 on)',
    async () => {
      for (const [build, words] of [
        ['plain', 'SIMD'],
        ['relaxed', 'relaxed SIMD'],
      ] as const) {
        const engine = await openSimdEngine({ threads: 1, build });
        expect(engine.variant).toBe(words);
        expect(traces(engine, PAPER, 4)).toHaveLength(6);
        engine.dispose();
      }
    },
  );
});
