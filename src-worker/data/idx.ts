import { readFileSync } from 'node:fs';
import { GradscopeError } from '../../src-shared/protocol/errors';

/**
 * IDX, the format of MNIST (yann.lecun.com/exdb/mnist): big-endian 32-bit words, first a magic number (0x08 for unsigned
 * bytes, then the number of axes), then the extent of each axis, then the bytes, row-major.
 */

const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;
const WORD_BYTES = 4;

export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** count * height * width bytes, image after image, row-major. */
  readonly pixels: Uint8Array;
}

/** @throws GradscopeError `bad-dataset` when the file is missing, has another magic number or another length. */
export function readIdxImages(path: string): IdxImages {
  const { extents, bytes } = readIdx(path, IMAGES_MAGIC, 'IDX images');
  const [count = 0, height = 0, width = 0] = extents;
  return { count, height, width, pixels: bytes };
}

/**
 * One label a byte.
 * @throws GradscopeError `bad-dataset` as readIdxImages, and when a label is not in 0..classes-1.
 */
export function readIdxLabels(path: string, classes: number): Uint8Array {
  const { bytes: labels } = readIdx(path, LABELS_MAGIC, 'IDX labels');
  const position = labels.findIndex((label) => label >= classes);
  if (position >= 0) {
    throw refused(path, `labels from 0 to ${classes - 1}`, `${labels[position]!} at position ${position}`);
  }
  return labels;
}

function readIdx(path: string, magic: number, what: string): { extents: number[]; bytes: Uint8Array } {
  const file = readWhole(path);
  const axes = magic & 0xff;
  const headerBytes = WORD_BYTES * (1 + axes);
  if (file.length < headerBytes) {
    throw refused(path, `${what} with a header of ${headerBytes} bytes`, `${file.length} bytes in all`);
  }
  const found = file.readUInt32BE(0);
  if (found !== magic) {
    throw refused(path, `${what} (magic number ${hex(magic)})`, `magic number ${hex(found)}`);
  }
  const extents = Array.from({ length: axes }, (_, axis) => file.readUInt32BE(WORD_BYTES * (1 + axis)));
  const expectedBytes = headerBytes + extents.reduce((product, extent) => product * extent, 1);
  if (file.length !== expectedBytes) {
    throw refused(path, `${expectedBytes} bytes for ${extents.join(' x ')} values`, `${file.length} bytes`);
  }
  // A view: the training images are 47 MB, and start-up waits for them.
  const bytes = new Uint8Array(file.buffer, file.byteOffset + headerBytes, file.length - headerBytes);
  return { extents, bytes };
}

function readWhole(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'no such file' : `a file that cannot be read (${String(code)})`;
    throw refused(path, 'an IDX file', found, { cause: error });
  }
}

function refused(path: string, expected: string, found: string, options?: ErrorOptions): GradscopeError {
  return new GradscopeError('bad-dataset', `${path}: expected ${expected}, found ${found}.`, options);
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
