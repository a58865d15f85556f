import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  colourIndex,
  colourTable,
  NON_FINITE_INDEX,
  RAMP_SIZE,
  ZERO_INDEX,
  type Theme,
} from './colour-table';

const THEMES: readonly Theme[] = ['dark', 'light'];
const STOPS = {
  dark: ['#7CC6FF', '#2C78CF', '#1B1B1B', '#CF6A17', '#FFC27F'],
  light: ['#0A4593', '#5F9DE0', '#FFFFFF', '#EE9A45', '#9A4100'],
};

type Triple = [number, number, number];
const times = (matrix: readonly Triple[], [a, b, c]: Triple): Triple =>
  matrix.map((row) => row[0] * a + row[1] * b + row[2] * c) as Triple;

function inverse([[a, b, c], [d, e, f], [g, h, i]]: [Triple, Triple, Triple]): Triple[] {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((value) => value / determinant) as Triple);
}

// OKLab as it was defined: from CIE XYZ (D65), through two matrices and a cube root; sRGB to XYZ from its primaries.
const XYZ_FROM_RGB: [Triple, Triple, Triple] = [
  [0.4123907993, 0.3575843394, 0.1804807884],
  [0.2126390059, 0.7151686788, 0.0721923154],
  [0.0193308187, 0.1191947798, 0.9505321522],
];
const LMS_FROM_XYZ: [Triple, Triple, Triple] = [
  [0.819022437996703, 0.3619062600528904, -0.1288737815209879],
  [0.0329836539323885, 0.9292868615863434, 0.0361446663506424],
  [0.0481771893596242, 0.2642395317527308, 0.6335478284694309],
];
const LAB_FROM_LMS: [Triple, Triple, Triple] = [
  [0.210454268309314, 0.7936177747023054, -0.0040720430116193],
  [1.9779985324311684, -2.4285922420485799, 0.450593709617411],
  [0.0259040424655478, 0.7827717124575296, -0.8086757549230774],
];

function labOf(hex: string): Triple {
  const rgb = [1, 3, 5].map((at) => {
    const encoded = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  }) as Triple;
  return times(LAB_FROM_LMS, times(LMS_FROM_XYZ, times(XYZ_FROM_RGB, rgb)).map(Math.cbrt) as Triple);
}

function rgbOf(lab: Triple): Triple {
  const lms = times(inverse(LAB_FROM_LMS), lab).map((value) => value ** 3) as Triple;
  return times(inverse(XYZ_FROM_RGB), times(inverse(LMS_FROM_XYZ), lms)).map((light) => {
    const clipped = Math.min(1, Math.max(0, light));
    return 255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055);
  }) as Triple;
}

function channels(pixel: number): Triple {
  return [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
}

const lightness = (pixel: number): number =>
  labOf(
    `#${channels(pixel)
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')}`,
  )[0];

describe.each(THEMES)('the %s colour table', (theme) => {
  const { pixels, text } = colourTable(theme);

  test('is mixed in OKLab, entry by entry (a mix in sRGB or a wrong matrix would show)', () => {
    const stops = STOPS[theme].map(labOf);
    for (let index = 0; index < RAMP_SIZE; index += 1) {
      const place = (index / 254) * 4;
      const left = Math.min(3, Math.floor(place));
      const share = place - left;
      const from = stops[left] ?? [0, 0, 0];
      const to = stops[left + 1] ?? [0, 0, 0];
      const expected = rgbOf(from.map((value, axis) => value + ((to[axis] ?? 0) - value) * share) as Triple);
      channels(pixels[index] ?? 0).forEach((byte, channel) => {
        expect(Math.abs(byte - (expected[channel] ?? 0)), `entry ${String(index)}`).toBeLessThan(0.75);
      });
    }
  });

  test('has the stops themselves at its ends and exact neutral at zero', () => {
    const hex = [0, ZERO_INDEX, 254].map((index) =>
      `#${channels(pixels[index] ?? 0)
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('')}`.toUpperCase(),
    );
    expect(hex).toEqual([STOPS[theme][0], STOPS[theme][2], STOPS[theme][4]]);
    const [red, green, blue] = channels(pixels[ZERO_INDEX] ?? 0);
    expect(red === green && green === blue).toBe(true);
  });

  test('gets steadily lighter or darker away from zero, so that larger never looks smaller', () => {
    const sign = theme === 'dark' ? 1 : -1;
    for (let distance = 1; distance <= 127; distance += 1) {
      for (const side of [-1, 1]) {
        const inner = lightness(pixels[ZERO_INDEX + side * (distance - 1)] ?? 0);
        const outer = lightness(pixels[ZERO_INDEX + side * distance] ?? 0);
        expect(sign * (outer - inner)).toBeGreaterThanOrEqual(-0.002);
      }
    }
  });

  test('is opaque, and the colour of NaN is nowhere on the ramp', () => {
    expect(pixels.every((pixel) => pixel >>> 24 === 255)).toBe(true);
    expect(pixels.subarray(0, RAMP_SIZE).includes(pixels[NON_FINITE_INDEX] ?? 0)).toBe(false);
  });

  test('has readable text on each colour (4.5 : 1 at least by WCAG)', () => {
    pixels.forEach((pixel, index) => {
      const [red, green, blue] = channels(pixel).map((byte) => {
        const encoded = byte / 255;
        return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
      }) as Triple;
      const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      const contrast = text[index] === '#000' ? (luminance + 0.05) / 0.05 : 1.05 / (luminance + 0.05);
      expect(contrast).toBeGreaterThanOrEqual(4.5);
    });
  });
});

describe('colourIndex', () => {
  test('is the middle for zero, clips at both ends, and keeps NaN and infinities off the ramp', () => {
    expect([0, -0, 1, -1, 2, -2, 0.5].map((value) => colourIndex(value, 1))).toEqual([
      127, 127, 254, 0, 254, 0, 191,
    ]);
    expect([NaN, Infinity, -Infinity].map((value) => colourIndex(value, 1))).toEqual([255, 255, 255]);
  });

  test('+0.5 never looks like -0.5: the sign of a value is the side of its colour', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ min: Math.fround(1e-6), max: 1e6, noNaN: true }),
        (value, scale) => {
          const index = colourIndex(value, scale);
          expect(index).toBeGreaterThanOrEqual(0);
          expect(index).toBeLessThanOrEqual(254);
          if (index !== ZERO_INDEX) expect(index > ZERO_INDEX).toBe(value > 0);
        },
      ),
    );
  });
});
