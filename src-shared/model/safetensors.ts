import { JsonRefused, parseBoundedJson } from '../json/bounded-json';
import { repeatedName } from '../json/repeated-name';
import { GradscopeError } from '../protocol/errors';
import { FLOAT_FORMATS, isFloatFormat, type FloatFormatName } from '../tensor/float-formats';
import { countNonFinite } from '../tensor/statistics';
import { shownFile } from '../text/file-name';
import { listed, quoted, shorten } from '../text/shorten';
import { foundKind, KIND_BYTES, kindOfFile } from './file-kind';
import { sizeOf, type ParameterPlan } from './network';

/**
 * The safetensors format (huggingface.co/docs/safetensors): 8 bytes header length (unsigned, little-endian), that many
 * bytes of JSON: name -> {dtype, shape, data_offsets: [begin, end) in the data section}, then the data section.
 *
 * Float32Array is taken to be little-endian, as it is on every platform that runs Electron or Node.
 */

const LENGTH_BYTES = 8;
const FLOAT_BYTES = 4;
const OPENING_BRACE = 0x7b;
const METADATA = '__metadata__';
/** Tens of thousands of tensors; what is larger is no header. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const HEADER_LIMITS = { maxDepth: 4, maxValues: 1_000_000 };
/** What torch.nn.DataParallel and torch.compile put in front of every name. */
const PREFIXES = ['module.', '_orig_mod.'];
const FORMATS = 'F32, F16, BF16 or F64';

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A whole file: the tensors contiguous in the order given, the data section starting at a multiple of 8 bytes. */
export function writeSafetensors(tensors: readonly NamedTensor[]): Uint8Array {
  // PyTorch's loaders look for this format mark.
  const header: Record<string, unknown> = { [METADATA]: { format: 'pt' } };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const begin = end;
    end += values.length * FLOAT_BYTES;
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerLength);
  file.set(json, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headerLength;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}

/** What a file holds, as the network takes it. */
export interface ReadWeights {
  /** Name of a parameter -> its values, a copy. */
  readonly values: Map<string, Float32Array>;
  /** One sentence when names or types were not taken as they stand in the file; null: they were. */
  readonly remark: string | null;
}

/**
 * The values of exactly the expected parameters. F16, BF16 and F64 are converted to float32; prefixes that every name has and the
 * network does not, such as `module.`, are taken off. Anything else is refused as a whole: other names, shapes or types, data that
 * the header does not describe without gaps or overlaps, NaN or infinite values.
 * @throws GradscopeError `bad-weights`, one sentence of at most 300 characters naming the file, what was expected and what was found.
 */
export function readSafetensors(
  file: Uint8Array,
  expected: readonly ParameterPlan[],
  fileName: string,
): ReadWeights {
  const shown = shownFile(fileName);
  const refuse: Refuse = (sentence) => {
    throw new GradscopeError('bad-weights', shorten(`${shown}: ${sentence}`));
  };
  const { entries: named, data } = readHeader(file, refuse);
  const { entries, prefix } = withoutPrefixes(named, expected);
  checkNames(entries, expected, refuse);
  const formats = new Map(
    expected.map((parameter) => [
      parameter.name,
      checkEntry(entryNamed(entries, parameter.name), parameter, refuse),
    ]),
  );
  checkLayout(entries, data.length, refuse);
  const values = new Map(
    expected.map(({ name }) => {
      const { begin, end } = entryNamed(entries, name);
      const format = formats.get(name) ?? 'F32';
      const converted = FLOAT_FORMATS[format].decode(data.subarray(begin, end));
      const { nan, infinite } = countNonFinite(converted);
      if (nan + infinite > 0) {
        const how = format === 'F64' ? ' as float32' : '';
        refuse(`expected finite values, found ${nan} NaN and ${infinite} infinite in ${name}${how}.`);
      }
      return [name, converted];
    }),
  );
  return { values, remark: remarkOf(shown, prefix, [...new Set(formats.values())]) };
}

type Refuse = (sentence: string) => never;

function remarkOf(shown: string, prefix: string, formats: readonly FloatFormatName[]): string | null {
  const converted = formats.filter((format) => format !== 'F32');
  const done = [
    ...(prefix === '' ? [] : [`the prefix ${quoted(prefix)} was taken off every name`]),
    ...(converted.length === 0 ? [] : [`${converted.sort().join(' and ')} was converted to float32`]),
  ];
  return done.length === 0 ? null : shorten(`${shown}: ${done.join(', and ')}.`);
}

function readHeader(file: Uint8Array, refuse: Refuse): { entries: Entry[]; data: Uint8Array } {
  const header = headerOf(file, refuse);
  const text = textOf(header, refuse);
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(parseHeader(text, refuse))) {
    if (name === METADATA) checkMetadata(value, refuse);
    else entries.push(entryOf(name, value) ?? refuseEntry(name, value, refuse));
  }
  const repeated = repeatedName(text);
  if (repeated !== null) refuse(`expected every name once, found ${quoted(repeated)} twice in its header.`);
  return { entries, data: file.subarray(LENGTH_BYTES + header.length) };
}

/** Or what the file is instead. */
function headerOf(file: Uint8Array, refuse: Refuse): Uint8Array {
  const hasLength = file.length >= LENGTH_BYTES;
  const length = hasLength
    ? new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true)
    : 0n;
  const isShort = length <= BigInt(MAX_HEADER_BYTES);
  const isThere = isShort && length <= BigInt(file.length - LENGTH_BYTES);
  const beginsLikeOne = file[LENGTH_BYTES] === OPENING_BRACE && isShort;
  if (hasLength && isThere && beginsLikeOne) {
    return file.subarray(LENGTH_BYTES, LENGTH_BYTES + Number(length));
  }
  if (hasLength && beginsLikeOne) {
    refuse(
      `expected a header of ${length} bytes, found ${file.length - LENGTH_BYTES} bytes behind its length: the file is not whole.`,
    );
  }
  const kind = kindOfFile(file.subarray(0, KIND_BYTES));
  if (kind !== null) refuse(`expected a safetensors file, found ${foundKind(kind)}.`);
  if (!hasLength) {
    refuse(`expected a safetensors file of at least ${LENGTH_BYTES} bytes, found ${file.length}.`);
  }
  const beginning = Array.from(file.subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return refuse(
    `expected a safetensors file, found one of an unknown kind, with ${file.length} bytes that begin with ${beginning}.`,
  );
}

function textOf(header: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    return refuse('expected a header in UTF-8, found other bytes.');
  }
}

function parseHeader(text: string, refuse: Refuse): Record<string, unknown> {
  try {
    // It begins with a brace, so what is valid is an object.
    return parseBoundedJson(text, HEADER_LIMITS) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    return refuse(`${error.message.replace('JSON', 'a header in JSON')}.`);
  }
}

/** The format allows strings only. Nothing is read from it. */
function checkMetadata(value: unknown, refuse: Refuse): void {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap && Object.values(value).every((each) => typeof each === 'string')) return;
  refuse(`expected ${METADATA} to map names to strings, found ${quoted(JSON.stringify(value))}.`);
}

/** Null: it is none. */
function entryOf(name: string, value: unknown): Entry | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return null;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !isListOfCounts(shape) || !isListOfCounts(offsets)) return null;
  const [begin, end, ...more] = offsets;
  if (begin === undefined || end === undefined || more.length > 0) return null;
  return { name, dtype, shape, begin, end };
}

const isListOfCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);

const refuseEntry = (name: string, value: unknown, refuse: Refuse): never =>
  refuse(
    `expected dtype, shape and data_offsets of ${quoted(name)}, found ${quoted(JSON.stringify(value), 100)}.`,
  );

/** Prefixes are taken off when every name has them and the names are not those of the network. */
function withoutPrefixes(
  entries: Entry[],
  expected: readonly ParameterPlan[],
): { entries: Entry[]; prefix: string } {
  const wanted = new Set(expected.map(({ name }) => name));
  let rest = entries;
  let prefix = '';
  while (rest.length > 0 && !rest.every(({ name }) => wanted.has(name))) {
    const next = PREFIXES.find((each) => rest.every(({ name }) => name.startsWith(each)));
    if (next === undefined) break;
    rest = rest.map((entry) => ({ ...entry, name: entry.name.slice(next.length) }));
    prefix += next;
  }
  return { entries: rest, prefix };
}

function checkNames(entries: readonly Entry[], expected: readonly ParameterPlan[], refuse: Refuse): void {
  const found = new Set(entries.map((entry) => entry.name));
  const missing = expected.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  const wanted = new Set(expected.map(({ name }) => name));
  const extra = entries.filter(({ name }) => !wanted.has(name)).map(({ name }) => quoted(name, 30));
  if (missing.length === 0 && extra.length === 0) return;
  const differences = [
    ...(missing.length > 0 ? [`without ${listed(missing)}`] : []),
    ...(extra.length > 0 ? [`with ${listed(extra, 2)}, which the network does not have`] : []),
  ];
  refuse(
    `expected the ${expected.length} tensors of the network, found a file ${differences.join(' and ')}.`,
  );
}

function checkEntry(entry: Entry, parameter: ParameterPlan, refuse: Refuse): FloatFormatName {
  const { name, dtype, shape, begin, end } = entry;
  if (!isFloatFormat(dtype)) {
    return refuse(`expected ${name} to be of type ${FORMATS}, found ${quoted(dtype, 20)}.`);
  }
  if (
    shape.length !== parameter.shape.length ||
    shape.some((extent, axis) => extent !== parameter.shape[axis])
  ) {
    refuse(`expected ${name} of shape ${parameter.shape.join(' x ')}, found ${shapeText(shape)}.`);
  }
  const bytes = sizeOf(shape) * FLOAT_FORMATS[dtype].bytes;
  if (end - begin !== bytes) {
    refuse(
      `expected ${bytes} bytes of ${name}${dtype === 'F32' ? '' : ` in ${dtype}`}, found data_offsets from ${begin} to ${end}.`,
    );
  }
  return dtype;
}

function shapeText(shape: readonly number[]): string {
  if (shape.length === 0) return 'a scalar';
  if (shape.length <= 6) return shape.join(' x ');
  return `${shape.slice(0, 6).join(' x ')} x ..., ${shape.length} axes in all`;
}

/** Every byte of the data section belongs to exactly one tensor. */
function checkLayout(entries: readonly Entry[], dataLength: number, refuse: Refuse): void {
  let position = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      refuse(
        `expected the data of ${name} to begin at byte ${position} of the data section, found ${begin}.`,
      );
    }
    position = end;
  }
  if (position === dataLength) return;
  const difference =
    position > dataLength
      ? 'the file is not whole'
      : `${dataLength - position} more than its header describes`;
  refuse(`expected a data section of ${position} bytes, found ${dataLength}: ${difference}.`);
}

function entryNamed(entries: readonly Entry[], name: string): Entry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new TypeError(`${name} was checked to be there.`);
  return entry;
}
