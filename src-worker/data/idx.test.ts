import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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

const inDirectory = (name: string): string => path.join(directory, name);

const refusal = (sentence: string): unknown =>
  expect.objectContaining({
    code: 'bad-dataset',
    message: `${path.join(directory, 'file-idx')}: ${sentence}`,
  });

describe('readIdxImages', () => {
  it('reads extents and bytes', () => {
    const images = readIdxImages(fileOf([0x803, 2, 1, 3], [1, 2, 3, 4, 5, 6]));
    expect(images).toEqual({
      file: inDirectory('file-idx'),
      count: 2,
      height: 1,
      width: 3,
      pixels: new Uint8Array([1, 2, 3, 4, 5, 6]),
    });
  });

  it.each([
    [
      'truncated data',
      [0x803, 2, 1, 3],
      [1, 2, 3],
      'expected 22 bytes for 2 x 1 x 3 values, found 19 bytes: the file is not whole.',
    ],
    [
      'bytes too many',
      [0x803, 1, 1, 1],
      [1, 2],
      'expected 17 bytes for 1 x 1 x 1 values, found 18 bytes, more than its header describes.',
    ],
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
    ['a gzipped file', [0x1f8b0808, 0, 0, 0], [], 'expected an IDX file, found a gzip file that is damaged.'],
    ['nothing', [], [], 'expected IDX images with a header of 16 bytes, found 0 bytes in all.'],
    [
      'extents whose product is past counting',
      [0x803, 0xffffffff, 0xffffffff, 0xffffffff],
      [],
      'expected at most 1073741824 bytes, found a header that announces 4294967295 x 4294967295 x 4294967295 values in a file of 16 bytes.',
    ],
  ])('refuses %s', (_what, words, bytes, sentence) => {
    const file = fileOf(words, bytes);
    expect(() => readIdxImages(file)).toThrow(refusal(sentence));
  });

  it('refuses a missing file and a directory', () => {
    expect(() => readIdxImages(path.join(directory, 'none'))).toThrow(
      'none: expected an IDX file, found no such file, nor none.gz beside it.',
    );
    expect(() => readIdxImages(directory)).toThrow(
      'found one that cannot be read: it is a folder, where a regular file is expected.',
    );
  });
});

describe('readIdxLabels', () => {
  it('reads labels', () => {
    expect(readIdxLabels(fileOf([0x801, 3], [0, 9, 4]), 10).labels).toEqual(new Uint8Array([0, 9, 4]));
  });

  it('refuses a label that is no class', () => {
    const file = fileOf([0x801, 3], [0, 9, 10]);
    expect(() => readIdxLabels(file, 10)).toThrow(
      refusal('expected labels from 0 to 9, found 10 at position 2.'),
    );
  });
});

describe('a file of MNIST under another name', () => {
  const NAME = 'train-labels-idx1-ubyte';
  const DOTTED = 'train-labels.idx1-ubyte';
  const labels = (first: number): Buffer => Buffer.from([0, 0, 8, 1, 0, 0, 0, 3, first, 9, 4]);
  const read = (): { file: string; labels: Uint8Array } => readIdxLabels(inDirectory(NAME), 10);
  afterEach(() => {
    for (const name of readdirSync(directory)) rmSync(inDirectory(name), { recursive: true });
  });

  // Catches: a dataset as it is published refused; the wrong one of two taken.
  it('is read, compressed or not; its own name goes before the others', () => {
    const files = [
      [`${DOTTED}.gz`, gzipSync(labels(1))],
      [DOTTED, labels(2)],
      [`${NAME}.gz`, gzipSync(labels(3))],
      [NAME, labels(4)],
    ] as const;
    for (const [i, [name, bytes]] of files.entries()) {
      writeFileSync(inDirectory(name), bytes);
      expect(read()).toEqual({ file: inDirectory(name), labels: Uint8Array.of(i + 1, 9, 4) });
    }
    // Compressed under the plain name.
    writeFileSync(inDirectory(NAME), gzipSync(labels(5)));
    expect(read().labels[0]).toBe(5);
  });

  // Catches: a bomb that fills the memory, half a file taken for a whole one, a stack trace.
  it.each<[string, () => Buffer, string]>([
    [
      'cut short',
      () => gzipSync(labels(1)).subarray(0, -6),
      'expected an IDX file, found a gzip file that is cut short.',
    ],
    [
      'damaged',
      () => {
        const bytes = gzipSync(labels(1));
        bytes[bytes.length - 6]! ^= 1;
        return bytes;
      },
      'expected an IDX file, found a gzip file that is damaged.',
    ],
    [
      'a bomb',
      () => gzipSync(Buffer.concat([labels(1), Buffer.alloc(50_000_000)])),
      'expected 11 bytes by its header, found more in the gzip file.',
    ],
    [
      'a bomb that announces itself',
      () => gzipSync(Buffer.from([0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff])),
      'expected at most 1073741824 bytes, found a header that announces 4294967295 values.',
    ],
    [
      'too short inside',
      () => gzipSync(labels(1).subarray(0, -1)),
      'expected 11 bytes for 3 values, found 10 bytes: the file is not whole.',
    ],
    [
      'empty inside',
      () => gzipSync(''),
      'expected IDX labels with a header of 8 bytes, found 0 bytes in all.',
    ],
    [
      'a page',
      () => Buffer.from('<!DOCTYPE html><html></html>'),
      'expected IDX labels (magic number 0x00000801), found an HTML page, as a server sends it in place of a file.',
    ],
  ])('is refused when it is %s', (_what, make, sentence) => {
    const file = inDirectory(`${NAME}.gz`);
    writeFileSync(file, make());
    expect(read).toThrow(expect.objectContaining({ code: 'bad-dataset', message: `${file}: ${sentence}` }));
  });

  // Catches: a start that waits for ever.
  it('is refused when it is a pipe', () => {
    execFileSync('mkfifo', [inDirectory(NAME)]);
    expect(read).toThrow('cannot be read: it is a pipe');
  });

  it('is named with all its names when it is not there', () => {
    expect(read).toThrow(
      `${NAME}: expected an IDX file, found no such file, nor ${NAME}.gz or ${DOTTED} or ${DOTTED}.gz beside it.`,
    );
  });
});
