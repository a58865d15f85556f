import { gunzipSync } from 'node:zlib';

/**
 * What the bytes of a file say, decoded as plainly as the formats are described and by nothing that the program uses. They check
 * nothing: they are asked only about files that the program has accepted.
 */

interface PlainEntry {
  readonly dtype: string;
  readonly data_offsets: readonly [number, number];
}

/** Values of a safetensors file by name, without the prefixes of DataParallel and torch.compile. */
export function plainWeights(file: Uint8Array): Map<string, number[]> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(file.subarray(8, start)).toString('utf8')) as Record<
    string,
    PlainEntry
  >;
  const values = new Map<string, number[]>();
  for (const [name, { dtype, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = offsets;
    const decoded: number[] = [];
    const bytes = BYTES_OF[dtype] ?? 0;
    for (let at = start + begin; at < start + end; at += bytes) decoded.push(plainValue(view, at, dtype));
    values.set(name.replace(/^(module\.|_orig_mod\.)+/, ''), decoded);
  }
  return values;
}

const BYTES_OF: Readonly<Record<string, number>> = { F16: 2, BF16: 2, F32: 4, F64: 8 };

function plainValue(view: DataView, at: number, dtype: string): number {
  switch (dtype) {
    case 'F32':
      return view.getFloat32(at, true);
    case 'F64':
      return Math.fround(view.getFloat64(at, true));
    case 'BF16': {
      const upper = new DataView(new ArrayBuffer(4));
      upper.setUint16(0, view.getUint16(at, true));
      return upper.getFloat32(0);
    }
    case 'F16': {
      const bits = view.getUint16(at, true).toString(2).padStart(16, '0');
      const [sign, exponent, fraction] = [bits.slice(0, 1), bits.slice(1, 6), bits.slice(6)];
      const power = Number.parseInt(exponent, 2);
      const significand = Number.parseInt(fraction, 2) / 1024 + (power === 0 ? 0 : 1);
      return (sign === '1' ? -1 : 1) * significand * 2 ** ((power === 0 ? 1 : power) - 15);
    }
    default:
      throw new Error(`There is no plain decoder of ${dtype}.`);
  }
}

/** Bytes behind the header of an IDX file, which may be compressed. */
export function plainIdx(file: Uint8Array): number[] {
  const data = file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : Buffer.from(file);
  return [...data.subarray(4 + 4 * data.readUInt8(3))];
}
