import { z } from 'zod';
import { GradscopeError } from '../protocol/errors';
import { countNonFinite } from '../tensor/statistics';
import { sizeOf, type ParameterPlan } from './network';

/**
 * The safetensors format (huggingface.co/docs/safetensors): 8 bytes header length (unsigned, little-endian), that many
 * bytes of JSON: name -> {dtype, shape, data_offsets: [begin, end) in the data section}, then the data section.
 *
 * Float32Array is taken to be little-endian, as it is on every platform that runs Electron or Node.
 */

const LENGTH_BYTES = 8;
const FLOAT_BYTES = 4;
const METADATA = '__metadata__';
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

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

/**
 * The values of exactly the expected parameters, as copies. Anything else is refused as a whole: other names, shapes or
 * types, data that the header does not describe without gaps or overlaps, NaN or infinite values.
 * @throws GradscopeError `bad-weights`, one sentence naming the file, what was expected and what was found.
 */
export function readSafetensors(
  file: Uint8Array,
  expected: readonly ParameterPlan[],
  fileName: string,
): Map<string, Float32Array> {
  const refuse: Refuse = (sentence) => {
    throw new GradscopeError('bad-weights', `${fileName}: ${sentence}`);
  };
  const { entries, data } = readHeader(file, refuse);
  checkNames(entries, expected, refuse);
  for (const parameter of expected) checkEntry(entryNamed(entries, parameter.name), parameter, refuse);
  checkLayout(entries, data.length, refuse);
  return new Map(
    expected.map(({ name }) => {
      const { begin, end } = entryNamed(entries, name);
      // A copy, and aligned, wherever the bytes came from; slice() of a Node Buffer would be a view.
      const values = new Float32Array(new Uint8Array(data.subarray(begin, end)).buffer);
      const { nan, infinite } = countNonFinite(values);
      if (nan + infinite > 0) {
        refuse(`expected finite values, found ${nan} NaN and ${infinite} infinite in ${name}.`);
      }
      return [name, values];
    }),
  );
}

type Refuse = (sentence: string) => never;

function readHeader(file: Uint8Array, refuse: Refuse): { entries: Entry[]; data: Uint8Array } {
  if (file.length < LENGTH_BYTES) {
    refuse(`expected a safetensors file of at least ${LENGTH_BYTES} bytes, found ${file.length}.`);
  }
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true);
  const most = Math.min(file.length - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (length > BigInt(most)) {
    refuse(`expected a header of at most ${most} bytes, found a header length of ${length}.`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  const header = parseJson(file.subarray(LENGTH_BYTES, dataStart), refuse);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]): Entry => {
      const entry = entrySchema.safeParse(value);
      if (!entry.success) {
        return refuse(
          `expected dtype, shape and data_offsets of ${quote(name)}, found ${quote(JSON.stringify(value))}.`,
        );
      }
      const [begin, end] = entry.data.data_offsets;
      return { name, dtype: entry.data.dtype, shape: entry.data.shape, begin, end };
    });
  return { entries, data: file.subarray(dataStart) };
}

function parseJson(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('expected a header in JSON, found something else.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return refuse('expected a header that maps names to tensors, found other JSON.');
  }
  return header as Record<string, unknown>;
}

function checkNames(entries: readonly Entry[], expected: readonly ParameterPlan[], refuse: Refuse): void {
  const found = new Set(entries.map((entry) => entry.name));
  const missing = expected.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  const wanted = new Set(expected.map(({ name }) => name));
  const extra = entries.filter(({ name }) => !wanted.has(name)).map(({ name }) => quote(name));
  if (missing.length === 0 && extra.length === 0) return;
  const differences = [
    ...(missing.length > 0 ? [`without ${listed(missing)}`] : []),
    ...(extra.length > 0 ? [`with ${listed(extra)}, which the network does not have`] : []),
  ];
  refuse(
    `expected the ${expected.length} tensors of the network, found a file ${differences.join(' and ')}.`,
  );
}

function checkEntry(entry: Entry, parameter: ParameterPlan, refuse: Refuse): void {
  const { name, dtype, shape, begin, end } = entry;
  if (dtype !== 'F32') refuse(`expected ${name} to be of type F32, found ${quote(dtype)}.`);
  if (
    shape.length !== parameter.shape.length ||
    shape.some((extent, axis) => extent !== parameter.shape[axis])
  ) {
    refuse(
      `expected ${name} of shape ${parameter.shape.join(' x ')}, found ${shape.join(' x ') || 'a scalar'}.`,
    );
  }
  const bytes = sizeOf(shape) * FLOAT_BYTES;
  if (end - begin !== bytes) {
    refuse(`expected ${bytes} bytes of ${name}, found data_offsets from ${begin} to ${end}.`);
  }
}

/** Every byte of the data section belongs to exactly one tensor. */
function checkLayout(entries: readonly Entry[], dataLength: number, refuse: Refuse): void {
  let position = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (begin !== position) {
      refuse(
        `expected the data of ${name} to begin at byte ${position} of the data section, found ${begin}.`,
      );
    }
    position = end;
  }
  if (position !== dataLength) {
    refuse(`expected a data section of ${position} bytes, found ${dataLength}: the file is not whole.`);
  }
}

function entryNamed(entries: readonly Entry[], name: string): Entry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new TypeError(`${name} was checked to be there.`);
  return entry;
}

/** Names come from a file that may hold anything: at most a line of it is shown. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
