import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { kindOfFile, KIND_BYTES, isGzip } from '../../src-shared/model/file-kind';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shownFile } from '../../src-shared/text/file-name';
import { shorten } from '../../src-shared/text/shorten';
import { reasonOf } from '../../src-node/file-error.mjs';
import { readRegularFile } from '../../src-node/read-file.mjs';

/**
 * IDX, the format of MNIST (yann.lecun.com/exdb/mnist): big-endian 32-bit words, first a magic number (0x08 for unsigned
 * bytes, then the number of axes), then the extent of each axis, then the bytes, row-major. A file may be compressed by gzip.
 */

const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;
const IDX_MAGIC = 0x00000800;
const WORD_BYTES = 4;
/** Of a file, unpacked too: more than any dataset of small images has, and less than a machine has. */
const MOST_BYTES = 2 ** 30;

export interface IdxImages {
  /** The file that was read. */
  readonly file: string;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** count * height * width bytes, image after image, row-major. */
  readonly pixels: Uint8Array;
}

export interface IdxLabels {
  /** The file that was read. */
  readonly file: string;
  /** One a byte. */
  readonly labels: Uint8Array;
}

/**
 * Reads `path`, or where that is not there what stands beside it under one of its other names (see namesOf).
 * @throws GradscopeError `bad-dataset` when the file is missing, has another magic number or another length.
 */
export function readIdxImages(path: string): IdxImages {
  const { file, extents, bytes } = readIdx(path, IMAGES_MAGIC, 'IDX images');
  const [count = 0, height = 0, width = 0] = extents;
  return { file, count, height, width, pixels: bytes };
}

/**
 * As readIdxImages.
 * @throws GradscopeError `bad-dataset` as readIdxImages, and when a label is not in 0..classes-1.
 */
export function readIdxLabels(path: string, classes: number): IdxLabels {
  const { file, bytes: labels } = readIdx(path, LABELS_MAGIC, 'IDX labels');
  const position = labels.findIndex((label) => label >= classes);
  if (position >= 0) {
    throw refused(file, `labels from 0 to ${classes - 1}`, `${labels[position]!} at position ${position}`);
  }
  return { file, labels };
}

/**
 * Names under which a file of MNIST is found, the first that is there counts: its own, with `.gz` as it is published, and with the
 * dot that some archives put in (`train-images.idx3-ubyte`).
 */
function namesOf(path: string): string[] {
  const dotted = join(dirname(path), basename(path).replace(/-(?=idx\d)/, '.'));
  return [...new Set([path, `${path}.gz`, dotted, `${dotted}.gz`])];
}

function readIdx(
  path: string,
  magic: number,
  what: string,
): { file: string; extents: number[]; bytes: Uint8Array } {
  const names = namesOf(path);
  const file = names.find((name) => existsSync(name));
  if (file === undefined) {
    const others = names.slice(1).map((name) => basename(name));
    throw refused(path, 'an IDX file', `no such file, nor ${others.join(' or ')} beside it`);
  }
  const stored = readWhole(file);
  const axes = magic & 0xff;
  const headerBytes = WORD_BYTES * (1 + axes);
  const header = isGzip(stored) ? unpackBeginning(file, stored) : stored;
  if (header.length < headerBytes) {
    throw refused(file, `${what} with a header of ${headerBytes} bytes`, `${header.length} bytes in all`);
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const found = view.getUint32(0);
  if (found !== magic) {
    throw refused(file, `${what} (magic number ${hex(magic)})`, kindOrMagic(found, header));
  }
  const extents = Array.from({ length: axes }, (_, axis) => view.getUint32(WORD_BYTES * (1 + axis)));
  const expectedBytes = headerBytes + extents.reduce((product, extent) => product * extent, 1);
  if (expectedBytes > MOST_BYTES) {
    throw refused(
      file,
      `at most ${MOST_BYTES} bytes`,
      `a header that announces ${extents.join(' x ')} values${isGzip(stored) ? '' : ` in a file of ${stored.length} bytes`}`,
    );
  }
  const data = isGzip(stored) ? unpack(file, stored, expectedBytes) : stored;
  if (data.length !== expectedBytes) {
    const isLess = data.length < expectedBytes;
    throw refused(
      file,
      `${expectedBytes} bytes for ${extents.join(' x ')} values`,
      `${data.length} bytes${isLess ? ': the file is not whole' : ', more than its header describes'}`,
    );
  }
  // A view: the training images are 47 MB, and start-up waits for them.
  const bytes = new Uint8Array(data.buffer, data.byteOffset + headerBytes, data.length - headerBytes);
  return { file, extents, bytes };
}

/** Another file of IDX is told by its number, anything else by its name. */
function kindOrMagic(found: number, head: Uint8Array): string {
  const kind = (found & 0xffff_ff00) === IDX_MAGIC ? null : kindOfFile(head.subarray(0, KIND_BYTES));
  return kind?.what ?? `magic number ${hex(found)}`;
}

function readWhole(path: string): Uint8Array {
  try {
    return readRegularFile(path, MOST_BYTES);
  } catch (error) {
    throw refused(path, 'an IDX file', `one that cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** What the first compressed bytes give, which holds the header unless the file is shorter. */
function unpackBeginning(path: string, packed: Uint8Array): Uint8Array {
  const { Z_SYNC_FLUSH } = constants;
  return inflate(path, packed.subarray(0, KIND_BYTES), { finishFlush: Z_SYNC_FLUSH });
}

/** The header says how much comes out, so a small file that unpacks to more fills no memory: it gives one byte more. */
function unpack(path: string, packed: Uint8Array, expectedBytes: number): Uint8Array {
  return inflate(path, packed, { maxOutputLength: expectedBytes });
}

function inflate(
  path: string,
  packed: Uint8Array,
  options: { maxOutputLength?: number; finishFlush?: number },
): Uint8Array {
  try {
    return gunzipSync(packed, options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const expected = `${options.maxOutputLength ?? MOST_BYTES} bytes by its header`;
      throw refused(path, expected, 'more in the gzip file', { cause: error });
    }
    const found = code === 'Z_BUF_ERROR' ? 'a gzip file that is cut short' : 'a gzip file that is damaged';
    throw refused(path, 'an IDX file', found, { cause: error });
  }
}

function refused(path: string, expected: string, found: string, options?: ErrorOptions): GradscopeError {
  const sentence = shorten(`${shownFile(path)}: expected ${expected}, found ${found}.`);
  return new GradscopeError('bad-dataset', sentence, options);
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
