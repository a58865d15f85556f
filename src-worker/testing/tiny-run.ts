import type { Recipe } from '../../src-shared/model/recipe';
import { fillWords } from '../../src-shared/tensor/random';
import type { Dataset, ExampleSet } from '../data/dataset';

/** A dataset and a recipe so small that a test can train on the cpu engine in milliseconds. Every layer kind is there. */

const SIDE = 8;
const CLASSES = 10;

/** 8 x 8 noise in which a bright row or column says the class, roughly. */
export function tinyDataset(trainExamples = 44, testExamples = 13): Dataset {
  return {
    name: 'tiny',
    channels: 1,
    height: SIDE,
    width: SIDE,
    classes: CLASSES,
    train: exampleSet(trainExamples, 1),
    test: exampleSet(testExamples, 2),
  };
}

function exampleSet(count: number, seed: number): ExampleSet {
  const words = new Uint32Array(count * SIDE * SIDE);
  fillWords(words, { seed, purpose: 'minibatchOrder', step: 0, layer: 0 });
  const pixels = Uint8Array.from(words, (word) => word >>> 26);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % CLASSES);
  for (const [i, label] of labels.entries()) {
    const stride = label < SIDE ? 1 : SIDE;
    const start = i * SIDE * SIDE + (label < SIDE ? label * SIDE : label - SIDE);
    for (let k = 0; k < SIDE; k++) pixels[start + k * stride] = 255;
  }
  return { count, pixels, labels };
}

/** Six minibatches an epoch of the tiny dataset, the last with 4 examples instead of 8. */
export const TINY_RECIPE: Recipe = {
  name: 'tiny',
  summary: 'For tests.',
  network: {
    input: [1, SIDE, SIDE],
    layers: [
      { kind: 'conv2d', name: 'conv1', filters: 3, kernelSize: 3, stride: 1, padding: 0 },
      { kind: 'dropout', name: 'dropout1', rate: 0.5, unit: 'channel' },
      { kind: 'maxPool2d', name: 'pool1', size: 2, stride: 2, padding: 0 },
      { kind: 'relu', name: 'relu1' },
      { kind: 'flatten', name: 'flatten' },
      { kind: 'dropout', name: 'dropout2', rate: 0.25, unit: 'element' },
      { kind: 'dense', name: 'fc1', units: CLASSES },
    ],
    loss: 'softmaxCrossEntropy',
  },
  optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.5, nesterov: false, weightDecay: 0 },
  initialisation: 'torchDefault',
  input: { mean: 0.2, deviation: 0.3 },
  batchSize: 8,
  testBatchSize: 5,
  epochs: 2,
};
