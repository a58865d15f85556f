import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readIdxImages, readIdxLabels } from './idx';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gradscope-idx-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function fileOf(words: number[], bytes: number[]): string {
  const file = Buffer.alloc(words.length * 4 + bytes.length);
  words.forEach((word, i) => file.writeUInt32BE(word, i * 4));
  file.set(bytes, words.length * 4);
  const name = path.join(directory, 'file-idx');
  writeFileSync(name, file);
  return name;
}

const refusal = (sentence: string): unknown =>
  expect.objectContaining({
    code: 'bad-dataset',
    message: `${path.join(directory, 'file-idx')}: ${sentence}`,
  });

describe('readIdxImages', () => {
  it('reads extents and bytes', () => {
    const images = readIdxImages(fileOf([0x803, 2, 1, 3], [1, 2, 3, 4, 5, 6]));
    expect(images).toEqual({ count: 2, height: 1, width: 3, pixels: new Uint8Array([1, 2, 3, 4, 5, 6]) });
  });

  it.each([
    [
      'truncated data',
      [0x803, 2, 1, 3],
      [1, 2, 3],
      'expected 22 bytes for 2 x 1 x 3 values, found 19 bytes.',
    ],
    ['bytes too many', [0x803, 1, 1, 1], [1, 2], 'expected 17 bytes for 1 x 1 x 1 values, found 18 bytes.'],
    [
      'a truncated header',
      [0x803, 2],
      [],
      'expected IDX images with a header of 16 bytes, found 8 bytes in all.',
    ],
    [
      'labels',
      [0x801, 8],
      [1, 2, 3, 4, 5, 6, 7, 8],
      'expected IDX images (magic number 0x00000803), found magic number 0x00000801.',
    ],
    [
      'a gzipped file',
      [0x1f8b0808, 0, 0, 0],
      [],
      'expected IDX images (magic number 0x00000803), found magic number 0x1f8b0808.',
    ],
    ['nothing', [], [], 'expected IDX images with a header of 16 bytes, found 0 bytes in all.'],
    [
      'extents whose product is past counting',
      [0x803, 0xffffffff, 0xffffffff, 0xffffffff],
      [],
      'expected 7.9228162458924105e+28 bytes for 4294967295 x 4294967295 x 4294967295 values, found 16 bytes.',
    ],
  ])('refuses %s', (_what, words, bytes, sentence) => {
    const file = fileOf(words, bytes);
    expect(() => readIdxImages(file)).toThrow(refusal(sentence));
  });

  it('refuses a missing file and a directory', () => {
    expect(() => readIdxImages(path.join(directory, 'none'))).toThrow(
      'none: expected an IDX file, found no such file.',
    );
    expect(() => readIdxImages(directory)).toThrow('found a file that cannot be read (EISDIR).');
  });
});

describe('readIdxLabels', () => {
  it('reads labels', () => {
    expect(readIdxLabels(fileOf([0x801, 3], [0, 9, 4]), 10)).toEqual(new Uint8Array([0, 9, 4]));
  });

  it('refuses a label that is no class', () => {
    const file = fileOf([0x801, 3], [0, 9, 10]);
    expect(() => readIdxLabels(file, 10)).toThrow(
      refusal('expected labels from 0 to 9, found 10 at position 2.'),
    );
  });
});
