import type { LayerSpec } from '../src-shared/model/network';
import { recipeNamed, recipeSchema, type Recipe } from '../src-shared/model/recipe';

/** The networks that are trained, as data: every peer builds them from this. */

const conv = (name: string, filters: number, kernelSize: number, padding = 0): LayerSpec => ({
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
const relu = (name: string): LayerSpec => ({ kind: 'relu', name });
const tanh = (name: string): LayerSpec => ({ kind: 'tanh', name });
const dense = (name: string, units: number): LayerSpec => ({ kind: 'dense', name, units });
const flatten: LayerSpec = { kind: 'flatten', name: 'flatten' };

export const PAPER = recipeNamed('pytorch-paper');

function withLayers(name: string, input: [number, number, number], layers: LayerSpec[]): Recipe {
  const network = { ...PAPER.network, input, layers };
  return recipeSchema.parse({ ...PAPER, name, summary: 'For the benchmark.', network });
}

/** Two convolutions and two dense layers on MNIST, their widths given. */
const plain = (name: string, filters: [number, number], units: number): Recipe =>
  withLayers(
    name,
    [1, 28, 28],
    [
      conv('conv1', filters[0], 5),
      pool('pool1'),
      relu('relu1'),
      conv('conv2', filters[1], 5),
      pool('pool2'),
      relu('relu2'),
      flatten,
      dense('fc1', units),
      relu('relu3'),
      dense('fc2', 10),
    ],
  );

export const OTHER_NETWORKS: readonly Recipe[] = [
  withLayers(
    'lenet-5',
    [1, 28, 28],
    [
      conv('conv1', 6, 5, 2),
      tanh('tanh1'),
      average('pool1'),
      conv('conv2', 16, 5),
      tanh('tanh2'),
      average('pool2'),
      flatten,
      dense('fc1', 120),
      tanh('tanh3'),
      dense('fc2', 84),
      tanh('tanh4'),
      dense('fc3', 10),
    ],
  ),
  plain('wide-mnist', [32, 64], 128),
  withLayers(
    'rgb-32',
    [3, 32, 32],
    [
      conv('conv1', 16, 3, 1),
      relu('relu1'),
      pool('pool1'),
      conv('conv2', 32, 3, 1),
      relu('relu2'),
      pool('pool2'),
      flatten,
      dense('fc1', 64),
      relu('relu3'),
      dense('fc2', 10),
    ],
  ),
];

/** From 22 thousand to 10 million parameters. */
export const GROWING: readonly Recipe[] = [
  plain('width-1', [10, 20], 50),
  plain('width-3', [30, 60], 150),
  plain('width-8', [80, 160], 400),
  plain('width-20', [200, 400], 1200),
];
