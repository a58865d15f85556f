/**
 * Floating-point formats of files, little-endian, as float32: rounded to the nearest, ties to even. What is larger than float32 can
 * say becomes infinite.
 */
export const FLOAT_FORMATS = {
  F16: { bytes: 2, decode: decodeHalf },
  BF16: { bytes: 2, decode: decodeBrain },
  F32: { bytes: 4, decode: (data) => new Float32Array(bufferOf(data)) },
  F64: { bytes: 8, decode: (data) => Float32Array.from(new Float64Array(bufferOf(data))) },
} as const satisfies Record<string, FloatFormat>;

export type FloatFormatName = keyof typeof FLOAT_FORMATS;

interface FloatFormat {
  /** Of one value. */
  readonly bytes: number;
  /** Copies. */
  readonly decode: (data: Uint8Array) => Float32Array;
}

export const isFloatFormat = (name: string): name is FloatFormatName => Object.hasOwn(FLOAT_FORMATS, name);

/** A copy, and aligned, wherever the bytes came from; slice() of a Node Buffer would be a view. */
const bufferOf = (data: Uint8Array): ArrayBuffer => new Uint8Array(data).buffer;

/** IEEE 754 binary16: 1 bit sign, 5 exponent, 10 fraction. Every value is exact in float32. */
function decodeHalf(data: Uint8Array): Float32Array {
  return Float32Array.from(new Uint16Array(bufferOf(data)), (word) => {
    const sign = word & 0x8000 ? -1 : 1;
    const exponent = (word >> 10) & 0x1f;
    const fraction = word & 0x3ff;
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
    // Subnormal: no leading one, and the exponent of the smallest normal value.
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (0x400 + fraction) * 2 ** (exponent - 25);
  });
}

/** bfloat16: the upper half of a float32. */
function decodeBrain(data: Uint8Array): Float32Array {
  const words = new Uint16Array(bufferOf(data));
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}
