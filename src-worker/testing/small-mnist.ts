import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ExampleSet, openDataset } from '../data/dataset';

export interface SmallMnist {
  readonly folder: string;
  remove(): void;
}

/** The first images of MNIST as a dataset of its own, so that an epoch takes a moment. */
export function smallMnist(trainExamples: number, testExamples: number): SmallMnist {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradscope-mnist-'));
  const { train, test, height, width } = openDataset({});
  const write = (prefix: string, { pixels, labels }: ExampleSet, count: number): void => {
    const images = [0x803, count, height, width];
    writeIdx(
      path.join(folder, `${prefix}-images-idx3-ubyte`),
      images,
      pixels.subarray(0, count * height * width),
    );
    writeIdx(path.join(folder, `${prefix}-labels-idx1-ubyte`), [0x801, count], labels.subarray(0, count));
  };
  write('train', train, trainExamples);
  write('t10k', test, testExamples);
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

function writeIdx(file: string, header: readonly number[], bytes: Uint8Array): void {
  const idx = Buffer.alloc(header.length * 4 + bytes.length);
  header.forEach((word, i) => idx.writeUInt32BE(word, i * 4));
  idx.set(bytes, header.length * 4);
  writeFileSync(file, idx);
}
