import type { NetworkPlan } from '../../src-shared/model/network';
import { fillWords } from '../../src-shared/tensor/random';
import { openDataset, type Dataset, type ExampleSet } from '../../src-worker/data/dataset';

const NOISE_IMAGES = 10_000;

let mnist: Dataset | undefined;

/** MNIST, or noise of the network's shape where MNIST does not fit it (as peer.py has it). */
export function loadedExamples({ spec, classes }: NetworkPlan): Dataset {
  mnist ??= openDataset();
  const [channels, height, width] = spec.input;
  if (channels === mnist.channels && height === mnist.height && width === mnist.width) return mnist;
  const noise = noiseSet(channels * height * width, classes);
  return { name: 'noise', channels, height, width, classes, train: noise, test: noise };
}

function noiseSet(size: number, classes: number): ExampleSet {
  const words = new Uint32Array((NOISE_IMAGES * size) / 4);
  fillWords(words, { seed: 1, purpose: 'minibatchOrder', step: 0, layer: 0 });
  const labels = Uint8Array.from({ length: NOISE_IMAGES }, (_, index) => index % classes);
  return { count: NOISE_IMAGES, pixels: new Uint8Array(words.buffer), labels };
}
