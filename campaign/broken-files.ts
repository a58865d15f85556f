import { gzipSync } from 'node:zlib';
import type { Random } from './random';

/** Something that is done to the bytes of a sound file, and what it is called. */
export type Mutation = readonly [name: string, change: (file: Uint8Array, random: Random) => Uint8Array];

const joined = (...parts: readonly (Uint8Array | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

/** Beginnings of other kinds of files. */
const BEGINNINGS = [
  'PK\u0003\u0004\u0014\0\0\0\0\0archive/data.pkl',
  '\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.',
  '\u0093NUMPY\u0001\0',
  '\u0089HDF\r\n\u001a\n',
  '\u001f\u008b\u0008\0\0\0\0\0\0\u0003',
  '<!DOCTYPE html><html>',
  'version https://git-lfs.github.com/spec/v1\n',
  'GGUF\u0003\0\0\0',
  '{"weight_map":{}}',
  'plain text\n',
];

/** What can befall any file. */
export const BYTE_MUTATIONS: readonly Mutation[] = [
  [
    'flipped bits',
    (file, random) => {
      const changed = file.slice();
      for (let flips = 1 + random.below(8); flips > 0 && changed.length > 0; flips--) {
        changed[random.below(changed.length)]! ^= 1 << random.below(8);
      }
      return changed;
    },
  ],
  [
    'changed beginnings',
    (file, random) => {
      const changed = file.slice();
      const near = Math.min(changed.length, 700);
      for (let bytes = 1 + random.below(4); bytes > 0 && near > 0; bytes--) {
        changed[random.below(near)] = random.below(256);
      }
      return changed;
    },
  ],
  ['truncations', (file, random) => file.subarray(0, random.below(file.length + 1))],
  ['extensions', (file, random) => joined(file, random.bytes(1 + random.below(64)))],
  [
    'splices',
    (file, random) => {
      const [from, to, at] = [0, 0, 0].map(() => random.below(file.length + 1)) as [number, number, number];
      const piece = file.subarray(Math.min(from, to), Math.min(Math.max(from, to), Math.min(from, to) + 512));
      const removed = random.below(2) * random.below(512);
      return joined(file.subarray(0, at), piece, file.subarray(Math.min(file.length, at + removed)));
    },
  ],
  ['zeros', (file, random) => new Uint8Array(random.below(file.length + 1))],
  ['noise', (_file, random) => random.bytes(random.below(300))],
  [
    'other kinds',
    (file, random) => joined(random.pick(BEGINNINGS), file.subarray(random.below(file.length + 1))),
  ],
  ['compressed', (file) => gzipSync(file, { level: 1 })],
];

const LENGTH_BYTES = 8;

/** The text of a safetensors header, changed, in front of the same data. */
export function withHeader(file: Uint8Array, change: (header: string) => string): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  const header = new TextEncoder().encode(change(text));
  const start = new Uint8Array(LENGTH_BYTES);
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  return joined(start, header, file.subarray(LENGTH_BYTES + length));
}

type Header = Record<string, Record<string, unknown>>;

/** Values that stand where others belong. */
const STRANGE: readonly unknown[] = [
  ...[
    -1,
    0.5,
    1e308,
    2 ** 53,
    '4',
    null,
    true,
    {},
    [],
    [[0]],
    '',
    'F8_E5M2',
    'I64',
    'F16',
    'BF16',
    'F64',
    'F32',
  ],
];

/** The header read, changed and written again. */
const edited = (
  name: string,
  change: (header: Header, names: string[], random: Random) => void,
): Mutation => [
  name,
  (file, random) =>
    withHeader(file, (text) => {
      const header = JSON.parse(text) as Header;
      change(
        header,
        Object.keys(header).filter((each) => each !== '__metadata__'),
        random,
      );
      return JSON.stringify(header);
    }),
];

const FIELDS = ['dtype', 'shape', 'data_offsets'];

/** What can befall the header of weights. */
export const HEADER_MUTATIONS: readonly Mutation[] = [
  edited('strange fields', (header, names, random) => {
    header[random.pick(names)]![random.pick([...FIELDS, 'more'])] = random.pick(STRANGE);
  }),
  edited('strange numbers', (header, names, random) => {
    const list = header[random.pick(names)]![random.pick(['shape', 'data_offsets'])] as unknown[];
    list[random.below(list.length + 1)] = random.pick([...STRANGE, random.below(100_000)]);
  }),
  edited('missing fields', (header, names, random) => {
    Reflect.deleteProperty(header[random.pick(names)]!, random.pick(FIELDS));
  }),
  edited('missing tensors', (header, names, random) => {
    Reflect.deleteProperty(header, random.pick(names));
  }),
  edited('renamed tensors', (header, names, random) => {
    const name = random.pick(names);
    const other = random.pick(['__proto__', 'constructor', `module.${name}`, `${name} `, 'x'.repeat(10_000)]);
    Object.defineProperty(header, other, { value: header[name], enumerable: true });
    Reflect.deleteProperty(header, name);
  }),
  edited('exchanged data', (header, names, random) => {
    const [first, second] = [header[random.pick(names)]!, header[random.pick(names)]!];
    const field = random.pick(FIELDS);
    [first[field], second[field]] = [second[field], first[field]];
  }),
  edited('strange metadata', (header, _names, random) => {
    (header as Record<string, unknown>)['__metadata__'] = random.pick([
      ...STRANGE,
      { a: random.pick(STRANGE) },
    ]);
  }),
  [
    'repeated names',
    (file) =>
      withHeader(
        file,
        (text) =>
          `${text.trimEnd().slice(0, -1)},"fc2.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}}`,
      ),
  ],
  [
    'deep headers',
    (file, random) =>
      withHeader(file, (text) => text.replace('{', `{"deep":${'['.repeat(1 + random.below(20_000))},`)),
  ],
  [
    'header lengths',
    (file, random) => {
      const changed = file.slice();
      const length = BigInt(random.word()) << BigInt(8 * random.below(5));
      new DataView(changed.buffer, changed.byteOffset).setBigUint64(0, length, true);
      return changed;
    },
  ],
];
