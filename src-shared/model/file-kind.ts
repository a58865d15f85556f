/** What a file is by its first bytes. */
export interface FileKind {
  /** "a PyTorch file (torch.save)": ends "found ...". */
  readonly what: string;
  /** What a person does who wants the weights in it: a clause; null: nothing general helps. */
  readonly advice: string | null;
}

/** As many first bytes as tell a kind. */
export const KIND_BYTES = 4096;

const GZIP = [0x1f, 0x8b];

const TORCH: FileKind = {
  what: 'a PyTorch file (torch.save)',
  advice:
    'convert it in Python: import torch, safetensors.torch as s; s.save_file(torch.load("in.pt"), "out.safetensors")',
};

const PICKLE: FileKind = {
  what: 'a Python pickle, as an old torch.save writes it',
  advice: TORCH.advice,
};

const NAMES = 'under the names and in the layout of PyTorch, as "Save weights" writes them';

const HDF5: FileKind = {
  what: 'an HDF5 file (.h5), as Keras writes it',
  advice: `load it in Keras and save its arrays as safetensors ${NAMES}`,
};

const packed = (name: string, command: string): FileKind => ({
  what: `a file compressed by ${name}`,
  advice: `unpack it first, with ${command}`,
});

const NOTHING_TO_DO = null;

/** Bytes at the beginning, or at `at`, and what they begin. The first that fits counts. */
const SIGNATURES: readonly (readonly [bytes: string | readonly number[], kind: FileKind, at?: number])[] = [
  [
    '\u0093NUMPY',
    {
      what: 'a NumPy array (.npy)',
      advice: 'save all parameters together, by name, with safetensors.numpy.save_file',
    },
  ],
  [[0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], HDF5],
  [GZIP, packed('gzip (.gz)', 'gunzip')],
  ['BZh', packed('bzip2', 'bunzip2')],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], packed('xz', 'unxz')],
  [[0x28, 0xb5, 0x2f, 0xfd], packed('Zstandard', 'unzstd')],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], packed('7-Zip', '7z x')],
  [
    'version https://git-lfs',
    {
      what: 'a Git LFS pointer, which only names the file',
      advice: 'fetch the file itself, with git lfs pull',
    },
  ],
  ['GGUF', { what: 'a GGUF file (llama.cpp)', advice: NOTHING_TO_DO }],
  [[0x89, 0x50, 0x4e, 0x47], { what: 'a picture (PNG)', advice: NOTHING_TO_DO }],
  [[0xff, 0xd8, 0xff], { what: 'a picture (JPEG)', advice: NOTHING_TO_DO }],
  ['GIF8', { what: 'a picture (GIF)', advice: NOTHING_TO_DO }],
  ['%PDF', { what: 'a PDF document', advice: NOTHING_TO_DO }],
  ['SQLite format 3', { what: 'an SQLite database', advice: NOTHING_TO_DO }],
  [[0x7f, 0x45, 0x4c, 0x46], { what: 'a program or library (ELF)', advice: NOTHING_TO_DO }],
  ['MZ', { what: 'a program or library of Windows', advice: NOTHING_TO_DO }],
  [[0x00, 0x61, 0x73, 0x6d], { what: 'a WebAssembly module', advice: NOTHING_TO_DO }],
  [[0, 0, 8, 3], { what: 'images in IDX format (MNIST)', advice: NOTHING_TO_DO }],
  [[0, 0, 8, 1], { what: 'labels in IDX format (MNIST)', advice: NOTHING_TO_DO }],
  ['TFL3', { what: 'a TensorFlow Lite model', advice: NOTHING_TO_DO }, 4],
  ['ustar', { what: 'a tar archive', advice: 'unpack it first, with tar -xf' }, 257],
];

/**
 * Recognises what people take for weights or data: by the first bytes, never by the name.
 * @param head the first KIND_BYTES bytes, or the whole file where it is shorter
 * @returns null: nothing known
 */
export function kindOfFile(head: Uint8Array): FileKind | null {
  if (head.length === 0) return { what: 'an empty file', advice: NOTHING_TO_DO };
  if (head.every((byte) => byte === 0)) {
    return {
      what: 'nothing but zero bytes, as a download leaves that did not finish',
      advice: 'fetch it again',
    };
  }
  if (begins(head, [0x50, 0x4b, 0x03, 0x04]) || begins(head, [0x50, 0x4b, 0x05, 0x06]))
    return kindOfZip(head);
  const known = SIGNATURES.find(([bytes, , at = 0]) => begins(head, bytes, at));
  if (known !== undefined) return known[1];
  if (isPickle(head)) return PICKLE;
  return kindOfText(head);
}

export const isGzip = (head: Uint8Array): boolean => begins(head, GZIP);

/** "expected ..., found ...; what to do": the middle and the end of a sentence. */
export const foundKind = ({ what, advice }: FileKind): string =>
  advice === null ? what : `${what}; ${advice}`;

function begins(head: Uint8Array, bytes: string | readonly number[], at = 0): boolean {
  const expected =
    typeof bytes === 'string' ? Array.from(bytes, (character) => character.charCodeAt(0)) : bytes;
  return expected.every((byte, i) => head[at + i] === byte);
}

/** The names of the members stand in front of each, uncompressed. */
function kindOfZip(head: Uint8Array): FileKind {
  const text = latin1(head);
  if (
    /\/(data\.pkl|\.format_version|\.storage_alignment|byteorder|version|data\/\d+|constants\.pkl)/.test(text)
  )
    return TORCH;
  if (/model\.weights\.h5|config\.json|metadata\.json/.test(text)) {
    return { what: 'a Keras model (.keras)', advice: HDF5.advice };
  }
  if (text.includes('.npy')) {
    return {
      what: 'NumPy arrays (.npz)',
      advice:
        'convert it in Python: import numpy, safetensors.numpy as s; s.save_file(dict(numpy.load("in.npz")), "out.safetensors")',
    };
  }
  return { what: 'a zip archive', advice: 'unpack it first' };
}

/** Protocol 2 to 5: the mark of the protocol, then an operation that makes something. */
const isPickle = (head: Uint8Array): boolean =>
  head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5 && head.length > 2;

const WIDE_TEXT = new Set([0xfeff, 0xfffe]);

function kindOfText(head: Uint8Array): FileKind | null {
  if (WIDE_TEXT.has(((head[0] ?? 0) << 8) | (head[1] ?? 0))) {
    return { what: 'a text in UTF-16', advice: NOTHING_TO_DO };
  }
  const text = textOf(head);
  if (text === null) return null;
  const start = text.trimStart();
  if (/^<(!doctype html|html|head|body|!--)/i.test(start)) {
    return {
      what: 'an HTML page, as a server sends it in place of a file',
      advice: 'fetch the file itself, by the address that its download link has',
    };
  }
  if (start.startsWith('<')) return { what: 'a text in XML', advice: NOTHING_TO_DO };
  if (/^[{[]/.test(start)) return { what: 'a text in JSON', advice: NOTHING_TO_DO };
  return { what: 'a text', advice: NOTHING_TO_DO };
}

/** Null: bytes that are no text. The last character may be cut off. */
function textOf(head: Uint8Array): string | null {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return null;
  }
  // eslint-disable-next-line no-control-regex -- text has tabs, line and page breaks, and no other control characters
  return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? null : text;
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, KIND_BYTES));
