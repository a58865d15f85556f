import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import type { Engine } from '../engine';
import { openEngine } from '../index';
import { describeEngines } from '../testing/describe-engines';
import { randomMinibatch, randomWeights, readAll, sgd, trainStep, writeAll } from '../testing/drive';
import { Operations, type TensorFlowBackend, type TensorFlowBinding } from './binding';
import { whyNoGpuKernelRuns } from './gpu';

const PLAN = planNetwork({
  input: [2, 7, 7],
  layers: [
    { kind: 'conv2d', name: 'conv', filters: 3, kernelSize: 3, stride: 2, padding: 1 },
    { kind: 'relu', name: 'relu' },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dense', name: 'logits', units: 4 },
  ],
  loss: 'softmaxCrossEntropy',
});
const SETTINGS = sgd(0.1, 0.9);

describeEngines(
  '%s, on TensorFlow itself',
  (name) => {
    let engine: Engine;
    let binding: TensorFlowBinding;
    beforeAll(async () => {
      ({ engine } = await openEngine(name));
      ({ binding } = tf.backend() as TensorFlowBackend);
    });
    afterAll(() => {
      engine.dispose();
    });

    // Catches: tensors of TensorFlow's own, which tfjs does not count, left behind by each layer of each step.
    it('leaves TensorFlow with as many tensors as before a step, also when a layer fails', () => {
      const network = engine.createNetwork(PLAN);
      const pass = network.createPass();
      const before = binding.getNumOfTensors();
      for (let step = 0; step < 3; step++) {
        trainStep(network, pass, randomMinibatch(PLAN, 4, step, { dropout: false }), SETTINGS);
      }
      const fails = (): unknown =>
        Operations.run(binding, (operations) => {
          const x = operations.floats([1, 2], Float32Array.of(1, 2));
          return operations.multiply(x, operations.floats([1, 2], Float32Array.of(1, 2)), {});
        });
      expect(fails).toThrow(/Matrix size-incompatible/);
      expect(binding.getNumOfTensors()).toBe(before);
      network.dispose();
    });

    // Catches: an array that TensorFlow goes on using, written into or left without what is written later.
    it('trains on as if nothing had been, after kernels of tfjs have used its tensors', () => {
      const weights = [false, true].map((look) => {
        const network = engine.createNetwork(PLAN);
        writeAll(network, randomWeights(PLAN, 1));
        const pass = network.createPass();
        for (let step = 0; step < 4; step++) {
          trainStep(network, pass, randomMinibatch(PLAN, 4, step, { dropout: false }), SETTINGS);
          if (!look) continue;
          for (const parameter of PLAN.parameters) {
            tf.tidy(() => tf.square(network.tensors.variable(parameter)).dataSync());
            tf.tidy(() => tf.neg(network.tensors.gradient(parameter)).dataSync());
          }
        }
        const read = readAll(network, 'weight');
        network.dispose();
        return read;
      });
      expect(weights[1]).toEqual(weights[0]);
    });

    // Catches: "GPU" in the badge of an engine that computes on the CPU, wherever TensorFlow sees a GPU but does not use it.
    it('is not believed to compute on a GPU when its kernels run on the CPU', () => {
      expect(whyNoGpuKernelRuns(binding)).toBe('TensorFlow finds no GPU');
      const claims = Object.create(binding, { isUsingGpuDevice: { value: () => true } }) as TensorFlowBinding;
      expect(whyNoGpuKernelRuns(claims)).toContain('NHWC');
      // The sums that the GPU is asked for, on the CPU.
      const sums = Operations.run(binding, (operations) => {
        const image = operations.floats([1, 2, 3, 1], Float32Array.of(1, 2, 3, 4, 5, 6));
        const filter = operations.floats([2, 2, 1, 1], Float32Array.of(1, 10, 100, 1000));
        return [...operations.read(operations.convolve(image, filter, 1))];
      });
      expect(sums).toEqual([5421, 6532]);
    });

    // Catches: two libraries of TensorFlow in one process, one of which computes for both.
    it('leaves no room for the other TensorFlow', async () => {
      await expect(openEngine('tensorflow-gpu')).rejects.toMatchObject({ code: 'engine-unavailable' });
      await tf.setBackend('tensorflow');
    });
  },
  ['tensorflow'],
);
