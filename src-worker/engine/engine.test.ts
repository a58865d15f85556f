import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropoutMask } from '../../src-shared/model/dropout-mask';
import {
  planNetwork,
  sizeOf,
  type LayerPlan,
  type LayerSpec,
  type NetworkPlan,
} from '../../src-shared/model/network';
import { stateSlots } from '../../src-shared/model/optimiser';
import type { EngineName } from '../../src-shared/model/run-config';
import { CIFAR_LIKE } from '../../src-shared/testing/cifar-like';
import { l2Norm } from '../../src-shared/tensor/statistics';
import type { Engine, EngineNetwork, Pass } from './engine';
import { openEngine } from './index';
import { updateAdam, updateSgd } from './kernels/optimisers';
import { arbitraryNetwork } from './testing/arbitrary-network';
import { describeEngines, enginesHere } from './testing/describe-engines';
import {
  backwardAll,
  contextOf,
  entry,
  errorOf,
  forwardAll,
  outputOf,
  randomMinibatch,
  randomWeights,
  readAll,
  readAllBefore,
  relativeDifference,
  sgd,
  trainStep,
  writeAll,
} from './testing/drive';

const LAYERS: LayerSpec[] = [
  { kind: 'conv2d', name: 'conv1', filters: 3, kernelSize: 3, stride: 1, padding: 0 },
  { kind: 'maxPool2d', name: 'pool1', size: 2, stride: 2, padding: 0 },
  { kind: 'relu', name: 'relu1' },
  { kind: 'conv2d', name: 'conv2', filters: 4, kernelSize: 2, stride: 1, padding: 0 },
  { kind: 'dropout', name: 'dropout1', rate: 0.5, unit: 'channel' },
  { kind: 'flatten', name: 'flatten' },
  { kind: 'dense', name: 'fc1', units: 6 },
  { kind: 'relu', name: 'relu2' },
  { kind: 'dropout', name: 'dropout2', rate: 0.5, unit: 'element' },
  { kind: 'dense', name: 'fc2', units: 4 },
];
const PLAN = planNetwork({ input: [2, 8, 8], layers: LAYERS, loss: 'softmaxCrossEntropy' });
const THIN_PLAN = planNetwork({
  input: [1, 6, 6],
  layers: [
    { kind: 'conv2d', name: 'conv1', filters: 1, kernelSize: 3, stride: 1, padding: 0 },
    { kind: 'conv2d', name: 'conv2', filters: 1, kernelSize: 1, stride: 1, padding: 0 },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dense', name: 'fc1', units: 3 },
  ],
  loss: 'softmaxCrossEntropy',
});
const SETTINGS = sgd(0.1, 0.9);
const ADAM = {
  kind: 'adam',
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.02,
} as const;
const SMALL_SETTINGS = sgd(0.01, 0.5);
const [KEPT, RATE] = [Math.fround(0.9), Math.fround(0.1)];
const [FIRST, SECOND] = [PLAN.layers[0]!, PLAN.layers[1]!];
const LAST = PLAN.layers[PLAN.layers.length - 1]!;

describeEngines('%s', (name) => {
  let engine: Engine;
  let buffersBefore: number;

  beforeAll(async () => {
    ({ engine } = await openEngine(name));
    buffersBefore = engine.liveBuffers();
  });
  // Catches: a network or pass that leaves a tensor behind, in any test below.
  afterAll(() => {
    engine.dispose();
    expect(engine.liveBuffers()).toBe(buffersBefore);
  });

  const randomNetwork = (plan: NetworkPlan, seed: number): { network: EngineNetwork; pass: Pass } => {
    const network = engine.createNetwork(plan);
    writeAll(network, randomWeights(plan, seed));
    return { network, pass: network.createPass() };
  };
  const batch = randomMinibatch(PLAN, 5, 3, { dropout: true });

  describe('parameters', () => {
    it('start at zero, gradients and momentum too', () => {
      const network = engine.createNetwork(PLAN);
      for (const what of ['weight', 'gradient', 'momentum'] as const) {
        for (const values of readAll(network, what).values())
          expect(values.every((value) => value === 0)).toBe(true);
      }
      network.dispose();
    });

    // Catches: a reordering between PyTorch's layout and the engine's that is not undone; aliasing of what crosses.
    it('come back as they were written, as copies', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const written = randomWeights(PLAN, 2);
      writeAll(network, written);
      const kept = new Map([...written].map(([key, values]) => [key, values.slice()]));
      for (const values of written.values()) values.fill(NaN);
      const read = readAll(network, 'weight');
      expect(read).toEqual(kept);
      trainStep(network, pass, batch, SETTINGS);
      expect(read).toEqual(kept);
      const momentum = PLAN.parameters[0]!;
      network.writeState(momentum, 'momentum', entry(kept, momentum.name));
      expect(entry(readAll(network, 'momentum'), momentum.name)).toEqual(entry(kept, momentum.name));
      network.dispose();
    });

    it('refuse arrays of another length and names of another network', () => {
      const network = engine.createNetwork(PLAN);
      const parameter = PLAN.parameters[0]!;
      expect(() => network.writeParameter(parameter, new Float32Array(3))).toThrow('has 54 values');
      expect(() => network.readParameter(parameter, 'weight', new Float32Array(55))).toThrow('has 54 values');
      const stranger = { ...parameter, name: 'conv9.weight' };
      expect(() => network.writeParameter(stranger, new Float32Array(54))).toThrow('no such parameter');
      network.dispose();
    });

    // Catches: a gradient of the step before that is taken for one of this step.
    it('have gradients of zero once these were cleared', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      trainStep(network, pass, batch, SETTINGS);
      expect(entry(readAll(network, 'gradient'), 'conv2.weight').some((value) => value !== 0)).toBe(true);
      network.zeroGradients();
      for (const values of readAll(network, 'gradient').values())
        expect(values.every((v) => v === 0)).toBe(true);
      network.dispose();
    });
  });

  describe('update', () => {
    // Catches: another order of operations, a product or sum kept in float64, momentum applied to the weight.
    it('is v = momentum v + g, w = w - learningRate v, each operation rounded to float32', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const velocity = new Map(PLAN.parameters.map(({ name: key, size }) => [key, new Float32Array(size)]));
      for (let step = 0; step < 3; step++) {
        const before = readAll(network, 'weight');
        trainStep(network, pass, batch, SETTINGS);
        const gradients = readAll(network, 'gradient');
        for (const [key, after] of readAll(network, 'weight')) {
          const v = entry(velocity, key);
          const [w, g] = [entry(before, key), entry(gradients, key)];
          const product = new Float32Array(1);
          for (let i = 0; i < v.length; i++) {
            product[0] = KEPT * v[i]!;
            v[i] = product[0] + g[i]!;
            product[0] = RATE * v[i]!;
            w[i] = w[i]! - product[0];
          }
          expect(after, key).toEqual(w);
          expect(entry(readAll(network, 'momentum'), key), key).toEqual(v);
        }
      }
      network.dispose();
    });

    // Catches: an engine whose weights drift from another's by the rounding of the update alone, and a state that is not kept
    // from one update to the next, or kept as of before it.
    it.each([
      ['Nesterov and weight decay', { ...SETTINGS, nesterov: true, weightDecay: 0.01 }],
      ['no momentum', { ...SETTINGS, momentum: 0 }],
      ['Adam', ADAM],
    ] as const)('has the bits of the reference kernels: %s', (_, settings) => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const [first, second] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
      for (let step = 1; step <= 3; step++) {
        const weights = readAll(network, 'weight');
        const before = new Map([...weights].map(([key, values]) => [key, values.slice()]));
        const slots = stateSlots(settings);
        const stateBefore = new Map(slots.map((slot) => [slot, readAll(network, slot)]));
        trainStep(network, pass, batch, settings, step);
        const gradients = readAll(network, 'gradient');
        for (const { name: key, size } of PLAN.parameters) {
          const [w, g] = [entry(weights, key), entry(gradients, key)];
          const m = first.get(key) ?? new Float32Array(size);
          const v = second.get(key) ?? new Float32Array(size);
          first.set(key, m);
          second.set(key, v);
          if (settings.kind === 'sgd') updateSgd(settings, w, g, m);
          else updateAdam(settings, step, w, g, m, v);
        }
        expect(readAll(network, 'weight')).toEqual(weights);
        if (settings.kind === 'sgd') expect(readAll(network, 'momentum')).toEqual(first);
        else {
          expect(readAll(network, 'firstMoment')).toEqual(first);
          expect(readAll(network, 'secondMoment')).toEqual(second);
        }
        // What there is to be known of the update afterwards.
        expect(readAllBefore(network, 'weight')).toEqual(before);
        for (const [slot, state] of stateBefore) expect(readAllBefore(network, slot)).toEqual(state);
        for (const parameter of PLAN.parameters) {
          const update = entry(weights, parameter.name).map((w, i) => w - entry(before, parameter.name)[i]!);
          expect(entry(readAll(network, 'update'), parameter.name)).toEqual(update);
          expect(network.norm(parameter, 'update')).toBeCloseTo(l2Norm(update), 12);
          expect(network.norm(parameter, 'weight')).toBeCloseTo(l2Norm(entry(weights, parameter.name)), 12);
          expect(network.norm(parameter, 'gradient')).toBeCloseTo(
            l2Norm(entry(gradients, parameter.name)),
            12,
          );
        }
      }
      network.dispose();
    });
  });

  // Catches: a NaN or an infinity that a norm does not show, so that nobody is told; a sum that overflows.
  it('has norms that are finite exactly where every value is', () => {
    const { network } = randomNetwork(PLAN, 1);
    const parameter = PLAN.parameters[0]!;
    for (const index of [0, 7, parameter.size - 1]) {
      for (const value of [NaN, Infinity, -Infinity, 3.4e38]) {
        const values = new Float32Array(parameter.size).fill(-3.4e38);
        values[index] = value;
        network.writeParameter(parameter, values);
        expect(Number.isFinite(network.norm(parameter, 'weight'))).toBe(Number.isFinite(value));
      }
    }
    expect(network.norm(parameter, 'update')).toBe(0);
    expect(entry(readAll(network, 'update'), parameter.name).every((value) => value === 0)).toBe(true);
    network.dispose();
  });

  describe('a pass', () => {
    // Catches: images in another order or layout than those given one by one, a table that is not looked up.
    it('takes images as bytes through a table', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const size = sizeOf(PLAN.spec.input);
      const pixels = Uint8Array.from({ length: 6 * size }, (_, i) => (i * 37) % 256);
      const table = Float32Array.from({ length: 256 }, (_, byte) => Math.sin(byte));
      const indices = [4, 0, 5];
      const images = Float32Array.from(
        indices.flatMap((index) => [...pixels.subarray(index * size, (index + 1) * size)]),
        (byte) => table[byte]!,
      );
      const labels = batch.labels.slice(0, 3);
      const outputs = [
        (): void => pass.load(images, labels, 3),
        (): void => pass.loadBytes(pixels, indices, table, labels),
      ].map((load) => {
        load();
        pass.forward(FIRST, contextOf(batch));
        return outputOf(pass, FIRST, 3);
      });
      expect(outputs[1]).toEqual(outputs[0]);
      expect(() => pass.loadBytes(pixels, [6], table, labels.slice(0, 1))).toThrow('images 0 to 5');
      expect(() => pass.loadBytes(pixels, indices, table, labels.slice(0, 2))).toThrow('needs 3 labels');
      network.dispose();
    });

    // Catches: masks drawn by an engine that are not those of dropoutMask(): other words, another order of the values, a
    // block of words that two examples share and only one gets.
    it('drops what dropoutMask() says, whoever draws the masks', () => {
      fc.assert(
        fc.property(
          fc.record({
            seed: fc.nat(2 ** 32 - 1),
            step: fc.nat(2 ** 32 - 1),
            n: fc.integer({ min: 1, max: 5 }),
            channels: fc.integer({ min: 1, max: 9 }),
            side: fc.integer({ min: 2, max: 3 }),
            rate: fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9),
            unit: fc.constantFrom('channel' as const, 'element' as const),
          }),
          ({ seed, step, n, channels, side, rate, unit }) => {
            const plan = planNetwork({
              input: [channels, side, side],
              layers: [
                { kind: 'relu', name: 'relu' },
                { kind: 'dropout', name: 'dropout', rate, unit },
                { kind: 'flatten', name: 'flatten' },
                { kind: 'dense', name: 'logits', units: 3 },
              ],
              loss: 'softmaxCrossEntropy',
            });
            const network = engine.createNetwork(plan);
            const pass = network.createPass();
            const [relu, dropout] = [plan.layers[0]!, plan.layers[1]!];
            const mask = (layer: LayerPlan): Float32Array => dropoutMask(layer, n, seed, step);
            const outputs = [{ mask }, { mask, draw: { seed, step } }].map((context) => {
              pass.load(new Float32Array(n * sizeOf(plan.spec.input)).fill(1), new Uint8Array(n), n);
              pass.forward(relu, context);
              pass.forward(dropout, context);
              return outputOf(pass, dropout, n);
            });
            expect(outputs[1]).toEqual(outputs[0]);
            network.dispose();
          },
        ),
        { numRuns: 60, seed: 20221109 },
      );
    });

    // Catches: a layer that runs on what another minibatch left behind.
    it('throws when it is called out of order', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const backward = (layer = LAST): void => pass.backward(layer, { parameters: true });
      const some = new Float32Array(1);
      expect(() => pass.forward(FIRST, contextOf(batch))).toThrow('no minibatch loaded');
      expect(() => pass.loss()).toThrow('no minibatch loaded');
      expect(() => pass.tensors.input()).toThrow('no minibatch loaded');

      pass.load(batch.images, batch.labels, batch.n);
      expect(() => pass.forward(SECOND, contextOf(batch))).toThrow('out of order');
      expect(() => pass.loss()).toThrow('out of order');
      expect(() => pass.readOutput(FIRST, some)).toThrow('out of order');
      pass.forward(FIRST, contextOf(batch));
      expect(() => pass.forward(FIRST, contextOf(batch))).toThrow('out of order');
      expect(() => backward(FIRST)).toThrow('out of order');

      forwardAll(pass, PLAN, batch);
      expect(() => backward(FIRST)).toThrow('out of order');
      expect(() => pass.readError(FIRST, some)).toThrow('out of order');
      backward();
      expect(() => backward()).toThrow('out of order');

      forwardAll(pass, PLAN, batch);
      backwardAll(pass, PLAN);
      expect(() => backward(FIRST)).toThrow('out of order');

      pass.load(batch.images, batch.labels, batch.n);
      expect(() => pass.readProbabilities(some)).toThrow('out of order');
      expect(() => pass.readError(LAST, some)).toThrow('out of order');
      expect(() => pass.tensors.output(FIRST)).toThrow('out of order');
      network.dispose();
    });

    it('refuses a minibatch, a mask and a target whose sizes do not fit', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      expect(() => pass.load(batch.images, batch.labels, 4)).toThrow('A minibatch of 4');
      expect(() => pass.load(new Float32Array(0), new Uint8Array(0), 0)).toThrow('A minibatch of 0');
      const wrongMask = { ...batch, masks: new Map([['dropout1', new Float32Array(7)]]) };
      expect(() => forwardAll(pass, PLAN, wrongMask)).toThrow('20 values');
      forwardAll(pass, PLAN, batch);
      expect(() => pass.readOutput(LAST, new Float32Array(3))).toThrow('20 values');
      network.dispose();
    });

    // Catches: images held by reference, which their owner fills with the next minibatch.
    it('copies what is loaded', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      const { loss } = forwardAll(pass, PLAN, batch);
      const images = batch.images.slice();
      const labels = batch.labels.slice();
      pass.load(images, labels, batch.n);
      images.fill(0);
      labels.fill(0);
      for (const layer of PLAN.layers) pass.forward(layer, contextOf(batch));
      expect(pass.loss().loss).toBe(loss);
      network.dispose();
    });

    // Catches: a digit being looked at that changes what is trained.
    it('leaves other passes and, unless asked for them, gradients alone', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      forwardAll(pass, PLAN, batch);
      const watching = network.createPass();
      const digit = randomMinibatch(PLAN, 1, 9, { dropout: false });
      forwardAll(watching, PLAN, digit);
      backwardAll(pass, PLAN);
      const gradients = readAll(network, 'gradient');
      const errors = errorOf(pass, FIRST, batch.n);
      for (const layer of [...PLAN.layers].reverse()) watching.backward(layer, { parameters: false });
      expect(readAll(network, 'gradient')).toEqual(gradients);
      expect(errorOf(pass, FIRST, batch.n)).toEqual(errors);
      watching.dispose();
      expect(outputOf(pass, LAST, batch.n)).toHaveLength(20);
      network.dispose();
    });

    it('gives probabilities, and tensors of the same values', () => {
      const { network, pass } = randomNetwork(PLAN, 1);
      forwardAll(pass, PLAN, batch);
      const probabilities = new Float32Array(batch.n * PLAN.classes);
      pass.readProbabilities(probabilities);
      const sum = probabilities.reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(batch.n, 5);
      expect(pass.tensors.output(LAST).dataSync()).toEqual(outputOf(pass, LAST, batch.n));
      expect(pass.tensors.error(LAST).dataSync()).toEqual(errorOf(pass, LAST, batch.n));
      expect(pass.tensors.inputError().shape).toEqual(pass.tensors.input().shape);
      network.dispose();
    });
  });

  // Catches: a tensor made in a step and not freed; a buffer freed by a tidy scope of fit() that a later step needs.
  it('holds as many buffers after every step, whatever the minibatch size and whoever tidies', () => {
    const { network, pass } = randomNetwork(PLAN, 1);
    const large = randomMinibatch(PLAN, 4, 1, { dropout: true });
    const small = randomMinibatch(PLAN, 1, 2, { dropout: true });
    trainStep(network, pass, large, SMALL_SETTINGS);
    const buffers = engine.liveBuffers();
    for (let step = 0; step < 1000; step++) {
      const next = step % 10 === 9 ? small : large;
      if (step % 2 === 0) trainStep(network, pass, next, SMALL_SETTINGS);
      else tf.tidy(() => void trainStep(network, pass, next, SMALL_SETTINGS));
      expect(engine.liveBuffers()).toBe(buffers);
    }
    network.dispose();
  });

  // Catches: a kernel that hides a NaN (tfjs's max-pool and ReLU do), and one that remembers it when it is gone.
  it.each([
    ['maps of several channels', PLAN, 5],
    ['maps of one channel, one filter and one example', THIN_PLAN, 1],
  ])(
    'carries a NaN in any parameter to the loss and back to its gradient, and recovers: %s',
    (_, plan, n) => {
      const { network, pass } = randomNetwork(plan, 1);
      const examples = randomMinibatch(plan, n, 3, { dropout: true });
      const clean = trainStep(network, pass, examples, sgd(1e-30, 0));
      expect(clean).not.toBeNaN();
      const weights = readAll(network, 'weight');
      for (const parameter of plan.parameters) {
        const stride = Math.ceil(parameter.size / 20);
        for (let i = 0; i < parameter.size; i += stride) {
          const poisoned = entry(weights, parameter.name).slice();
          poisoned[i] = NaN;
          network.writeParameter(parameter, poisoned);
          const { loss } = forwardAll(pass, plan, examples);
          backwardAll(pass, plan);
          expect(loss, `${parameter.name}[${i}]`).toBeNaN();
          expect(entry(readAll(network, 'gradient'), parameter.name)[i], `${parameter.name}[${i}]`).toBeNaN();
        }
        network.writeParameter(parameter, entry(weights, parameter.name));
        expect(forwardAll(pass, plan, examples).loss).toBe(clean);
      }
      network.dispose();
    },
  );

  it('answers for a network that is gone with an error, not with freed memory', () => {
    const { network, pass } = randomNetwork(PLAN, 1);
    network.dispose();
    network.dispose();
    expect(() => readAll(network, 'weight')).toThrow('disposed');
    expect(() => network.createPass()).toThrow('disposed');
    expect(() => pass.loss()).toThrow('no minibatch loaded');
  });
});

describe('the engines together', () => {
  // Catches: stale packings of what wasm was given in the step before, mostly where an extent of 1 turns a copy into an
  // alias; a kernel that is wrong for some shape.
  it('agree on every step of networks of every shape', async () => {
    const samples = fc.sample(fc.tuple(arbitraryNetwork, fc.integer({ min: 1, max: 4 }), fc.nat(1e6)), {
      numRuns: 100,
      seed: 20221109,
    });
    const weightsAfterSteps = async (name: EngineName): Promise<ReadonlyMap<string, Float32Array>[]> => {
      const { engine } = await openEngine(name);
      const results = samples.map(([plan, n, seed]) => {
        const network = engine.createNetwork(plan);
        writeAll(network, randomWeights(plan, seed));
        const pass = network.createPass();
        for (let step = 0; step < 4; step++) {
          trainStep(network, pass, randomMinibatch(plan, n, seed + step, { dropout: true }), SMALL_SETTINGS);
        }
        const weights = readAll(network, 'weight');
        network.dispose();
        return weights;
      });
      engine.dispose();
      return results;
    };
    const cpu = await weightsAfterSteps('cpu');
    for (const engineName of enginesHere()) {
      const weights = await weightsAfterSteps(engineName);
      samples.forEach(([plan], index) => {
        for (const { name } of plan.parameters) {
          const difference = relativeDifference(entry(weights[index]!, name), entry(cpu[index]!, name));
          const where = `${engineName}: ${name} of network ${index}: ${JSON.stringify(plan.spec)}`;
          expect(difference, where).toBeLessThan(1e-5);
        }
      });
    }
  });

  // Catches: a kernel that is wrong only for several channels of images larger than the random networks have.
  it('agree on a network for colour images, trained by Adam', async () => {
    const plan = planNetwork(CIFAR_LIKE);
    const losses = new Map<EngineName, number[]>();
    for (const name of enginesHere()) {
      const { engine } = await openEngine(name);
      const network = engine.createNetwork(plan);
      writeAll(network, randomWeights(plan, 3));
      const pass = network.createPass();
      const steps = [1, 2, 3];
      losses.set(
        name,
        steps.map((step) =>
          trainStep(network, pass, randomMinibatch(plan, 4, step, { dropout: true }), ADAM, step),
        ),
      );
      engine.dispose();
    }
    const reference = entry(losses, 'cpu');
    for (const [name, others] of losses) {
      others.forEach((loss, step) => {
        expect(Math.abs(loss / reference[step]! - 1), `${name}, step ${step + 1}`).toBeLessThan(1e-4);
      });
    }
  });

  // Catches: the record of operators that tfjs's wasm backend keeps for every tensor XNNPACK was given, for each layer of
  // each step.
  it('leaves the heap of wasm as free as it was', async () => {
    const { engine } = await openEngine('wasm');
    const each = [1, 2, 3, 4];
    const plan = planNetwork({
      input: [1, 1, 1],
      layers: [
        ...each.map(
          (i): LayerSpec => ({
            kind: 'conv2d',
            name: `conv${i}`,
            filters: 1,
            kernelSize: 1,
            stride: 1,
            padding: 0,
          }),
        ),
        { kind: 'flatten', name: 'flatten' },
        ...each.map((i): LayerSpec => ({ kind: 'dense', name: `fc${i}`, units: 2 })),
      ],
      loss: 'softmaxCrossEntropy',
    });
    const network = engine.createNetwork(plan);
    const pass = network.createPass();
    const one = randomMinibatch(plan, 1, 1, { dropout: false });
    trainStep(network, pass, one, SMALL_SETTINGS);
    const free = freeHeapBlocks();
    for (let i = 0; i < 2500; i++) trainStep(network, pass, one, SMALL_SETTINGS);
    // One kind of layer leaking takes some 15 blocks.
    expect(free - freeHeapBlocks()).toBeLessThan(4);
    engine.dispose();
  });
});

/** How many blocks of 64 KiB fit into the wasm backend's heap before it has to grow. */
function freeHeapBlocks(): number {
  const { wasm } = tf.backend() as unknown as {
    readonly wasm: {
      readonly HEAPU8: Uint8Array;
      readonly _malloc: (bytes: number) => number;
      readonly _free: (address: number) => void;
    };
  };
  const size = 65_536;
  const blocks: number[] = [];
  do blocks.push(wasm._malloc(size));
  while (blocks[blocks.length - 1]! + 2 * size < wasm.HEAPU8.length);
  for (const block of blocks) wasm._free(block);
  return blocks.length;
}
