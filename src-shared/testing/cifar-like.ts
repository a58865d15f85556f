import type { NetworkSpec } from '../model/network';

/** A small network for colour images of 32 x 32 in ten classes, as CIFAR-10 has them: convolutions padded to keep the size, pools that overlap. */
export const CIFAR_LIKE: NetworkSpec = {
  input: [3, 32, 32],
  layers: [
    { kind: 'conv2d', name: 'conv1', filters: 16, kernelSize: 3, stride: 1, padding: 1 },
    { kind: 'leakyRelu', name: 'leaky1', slope: 0.01 },
    { kind: 'maxPool2d', name: 'pool1', size: 3, stride: 2, padding: 1 },
    { kind: 'conv2d', name: 'conv2', filters: 32, kernelSize: 3, stride: 1, padding: 1 },
    { kind: 'leakyRelu', name: 'leaky2', slope: 0.01 },
    { kind: 'maxPool2d', name: 'pool2', size: 3, stride: 2, padding: 1 },
    { kind: 'conv2d', name: 'conv3', filters: 32, kernelSize: 3, stride: 2, padding: 1 },
    { kind: 'leakyRelu', name: 'leaky3', slope: 0.01 },
    { kind: 'averagePool2d', name: 'pool3', size: 2, stride: 2, padding: 0 },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dropout', name: 'dropout1', rate: 0.25, unit: 'element' },
    { kind: 'dense', name: 'fc1', units: 10 },
  ],
  loss: 'softmaxCrossEntropy',
};
