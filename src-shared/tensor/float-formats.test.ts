import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLOAT_FORMATS } from './float-formats';

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);
const ALL_WORDS = Uint16Array.from({ length: 0x1_0000 }, (_, word) => word);

/** binary16 to binary32 by moving bits, where the code under test computes. */
function float32BitsOfHalf(word: number): number {
  const sign = (word & 0x8000) << 16;
  let exponent = (word >> 10) & 0x1f;
  let fraction = word & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f80_0000 | (fraction << 13)) >>> 0;
  if (exponent === 0) {
    if (fraction === 0) return sign >>> 0;
    exponent = 1;
    for (; (fraction & 0x400) === 0; fraction <<= 1) exponent -= 1;
    fraction &= 0x3ff;
  }
  return (sign | ((exponent - 15 + 127) << 23) | (fraction << 13)) >>> 0;
}

describe('weights become float32', () => {
  // Catches: subnormals lost, a bias off by one, a sign dropped, -0.
  it('exactly from each of the 65,536 values of F16', () => {
    const found = FLOAT_FORMATS.F16.decode(new Uint8Array(ALL_WORDS.buffer));
    for (const [word, bits] of bitsOf(found).entries()) {
      const expected = float32BitsOfHalf(word);
      const isNaN = (expected & 0x7fff_ffff) > 0x7f80_0000;
      if (isNaN) expect(found[word]).toBeNaN();
      else expect(bits).toBe(expected);
    }
  });

  it('exactly from each of the 65,536 values of BF16', () => {
    const found = FLOAT_FORMATS.BF16.decode(new Uint8Array(ALL_WORDS.buffer));
    for (const [word, value] of found.entries()) {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint8(0, word >> 8);
      view.setUint8(1, word & 0xff);
      expect(Object.is(value, view.getFloat32(0))).toBe(true);
    }
  });

  // Catches: a value cut off in place of rounded; ties to odd.
  it('rounded to the nearest from F64, ties to even, infinite beyond', () => {
    const convert = (value: number): number =>
      FLOAT_FORMATS.F64.decode(new Uint8Array(Float64Array.of(value).buffer))[0]!;
    const one = 2 ** -23;
    expect(convert(1 + one / 2)).toBe(1);
    expect(convert(1 + 1.5 * one)).toBe(1 + 2 * one);
    expect([convert(3.4028235677973366e38), convert(-1e300)]).toEqual([Infinity, -Infinity]);
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -3e38, max: 3e38 }), (value) => {
        const found = convert(value);
        const [bits = 0] = bitsOf(Float32Array.of(found));
        // The neighbours of a float32 have the next bit patterns.
        const neighbours = new Float32Array(Uint32Array.of(bits + 1, bits - 1).buffer);
        for (const other of neighbours) {
          if (Number.isNaN(other)) continue;
          const [here, there] = [Math.abs(found - value), Math.abs(other - value)];
          if (found !== 0) expect(here < there || (here === there && bits % 2 === 0)).toBe(true);
        }
      }),
    );
  });

  it('from bytes at an odd address, as copies', () => {
    for (const { decode, bytes } of Object.values(FLOAT_FORMATS)) {
      const at = new Uint8Array(1 + 2 * bytes).subarray(1);
      const found = decode(at);
      at.fill(0x3c);
      expect([...found]).toEqual([0, 0]);
    }
  });
});
