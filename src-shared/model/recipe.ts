import { z } from 'zod';
import { GradscopeError } from '../protocol/errors';
import { quoted } from '../text/shorten';
import { networkSpecSchema, type LayerSpec, type NetworkSpec } from './network';
import { optimiserSchema, type OptimiserSpec } from './optimiser';

/** How a network is trained, as data: everything a run needs but the seed, the engine and the loop. */
export const recipeSchema = z.strictObject({
  name: z.string(),
  /** One line for people. */
  summary: z.string(),
  network: networkSpecSchema,
  optimiser: optimiserSchema,
  /**
   * `torchDefault`: weights and biases U(-1/sqrt(fanIn), 1/sqrt(fanIn)) (PyTorch's reset_parameters).
   * `glorotUniform`: weights U(-a, a) with a = sqrt(6 / (fanIn + fanOut)), biases 0 (Keras's default).
   */
  initialisation: z.enum(['torchDefault', 'glorotUniform']),
  /** pixel byte b -> (b / 255 - mean) / deviation */
  input: z.strictObject({ mean: z.number(), deviation: z.number().positive() }),
  /** Examples in a minibatch; the last one of an epoch has what is left. */
  batchSize: z.int().positive(),
  /** Examples in a forward pass of the test; no effect on its result but rounding. */
  testBatchSize: z.int().positive(),
  epochs: z.int().positive(),
});

export type Recipe = z.infer<typeof recipeSchema>;

const conv = (name: string, filters: number, kernelSize = 5, padding = 0): LayerSpec => ({
  kind: 'conv2d',
  name,
  filters,
  kernelSize,
  stride: 1,
  padding,
});
const pool = (name: string): LayerSpec => ({ kind: 'maxPool2d', name, size: 2, stride: 2, padding: 0 });
const average = (name: string): LayerSpec => ({
  kind: 'averagePool2d',
  name,
  size: 2,
  stride: 2,
  padding: 0,
});
const tanh = (name: string): LayerSpec => ({ kind: 'tanh', name });
const relu = (name: string): LayerSpec => ({ kind: 'relu', name });
const dropout = (name: string, unit: 'channel' | 'element'): LayerSpec => ({
  kind: 'dropout',
  name,
  rate: 0.5,
  unit,
});
const dense = (name: string, units: number): LayerSpec => ({ kind: 'dense', name, units });
const flatten: LayerSpec = { kind: 'flatten', name: 'flatten' };

const PAPER_OPTIMISER: OptimiserSpec = {
  kind: 'sgd',
  learningRate: 0.01,
  momentum: 0.5,
  nesterov: false,
  weightDecay: 0,
};

/** Mean and standard deviation of the training images, as PyTorch's examples have them. */
const MNIST_STANDARDISED = { mean: 0.1307, deviation: 0.3081 };

const network = (layers: LayerSpec[]): NetworkSpec => ({
  input: [1, 28, 28],
  layers,
  loss: 'softmaxCrossEntropy',
});

const KERAS_PAPER: Recipe = {
  name: 'keras-paper',
  summary:
    'The Keras notebook: ReLU before each pool, element dropout before fc1, input from 0 to 1, 6 epochs.',
  network: network([
    conv('conv1', 10),
    relu('relu1'),
    pool('pool1'),
    conv('conv2', 20),
    relu('relu2'),
    pool('pool2'),
    dropout('dropout1', 'element'),
    flatten,
    dense('fc1', 50),
    relu('relu3'),
    dense('fc2', 10),
  ]),
  optimiser: PAPER_OPTIMISER,
  initialisation: 'glorotUniform',
  input: { mean: 0, deviation: 1 },
  batchSize: 64,
  testBatchSize: 64,
  epochs: 6,
};

/**
 * First the two recipes of the paper (CP8321-A6, 2022): the same 21,840 parameters, trained the way each library's notebook does.
 * The Keras notebook passes from_logits=True with the output of a softmax. Keras 2.10 is believed to find the logits behind it,
 * which keras-paper does; the third recipe takes the notebook at its word. The others are of other networks, to compare with.
 */
const ALL_RECIPES: readonly Recipe[] = [
  {
    name: 'pytorch-paper',
    summary:
      'The PyTorch notebook: channel dropout after conv2, dropout after fc1, standardised input, 3 epochs.',
    network: network([
      conv('conv1', 10),
      pool('pool1'),
      relu('relu1'),
      conv('conv2', 20),
      dropout('dropout1', 'channel'),
      pool('pool2'),
      relu('relu2'),
      flatten,
      dense('fc1', 50),
      relu('relu3'),
      dropout('dropout2', 'element'),
      dense('fc2', 10),
    ]),
    optimiser: PAPER_OPTIMISER,
    initialisation: 'torchDefault',
    input: MNIST_STANDARDISED,
    batchSize: 64,
    testBatchSize: 1000,
    epochs: 3,
  },
  KERAS_PAPER,
  {
    ...KERAS_PAPER,
    name: 'keras-double-softmax',
    summary:
      'The Keras notebook with its mistake: softmax applied twice, as its loss takes probabilities for logits. Learns slowly.',
    network: { ...KERAS_PAPER.network, loss: 'softmaxOfSoftmaxCrossEntropy' },
  },
  {
    name: 'lenet-5',
    summary:
      'LeNet-5 of 1998: tanh and average pooling, its first convolution padded by 2; with softmax at the end, 3 epochs.',
    network: network([
      conv('conv1', 6, 5, 2),
      tanh('tanh1'),
      average('pool1'),
      conv('conv2', 16),
      tanh('tanh2'),
      average('pool2'),
      flatten,
      dense('fc1', 120),
      tanh('tanh3'),
      dense('fc2', 84),
      tanh('tanh4'),
      dense('fc3', 10),
    ]),
    optimiser: { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 },
    initialisation: 'glorotUniform',
    input: MNIST_STANDARDISED,
    batchSize: 64,
    testBatchSize: 1000,
    epochs: 3,
  },
  {
    name: 'wide-mnist',
    summary:
      'Wider than the paper: 32 and 64 filters of 3 x 3, 225,034 parameters, trained by Adam, 2 epochs.',
    network: network([
      conv('conv1', 32, 3),
      relu('relu1'),
      pool('pool1'),
      conv('conv2', 64, 3),
      relu('relu2'),
      pool('pool2'),
      flatten,
      dense('fc1', 128),
      relu('relu3'),
      dense('fc2', 10),
    ]),
    optimiser: {
      kind: 'adam',
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    },
    initialisation: 'glorotUniform',
    input: MNIST_STANDARDISED,
    batchSize: 64,
    testBatchSize: 1000,
    epochs: 2,
  },
];

export const RECIPES: readonly Recipe[] = ALL_RECIPES.map((recipe) => recipeSchema.parse(recipe));

/** @throws GradscopeError `unknown-recipe` naming the recipes there are. */
export function recipeNamed(name: string): Recipe {
  const recipe = RECIPES.find((candidate) => candidate.name === name);
  if (recipe === undefined) {
    const known = RECIPES.map((candidate) => candidate.name).join(', ');
    throw new GradscopeError(
      'unknown-recipe',
      `There is no recipe called ${quoted(name)}; there is ${known}.`,
    );
  }
  return recipe;
}
