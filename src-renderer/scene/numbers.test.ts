import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  commonExponent,
  formatCount,
  formatDuration,
  formatEnds,
  formatExponent,
  formatFixed,
  formatNumber,
  formatPercent,
  formatPrecise,
  formatRate,
  formatScale,
  formatSetting,
  formatSteadyPercent,
  numberColumn,
} from './numbers';
import { rungValue } from './scale';

const EXTREMES = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  -1e-308,
  1e-45,
  1e38,
  -3.4028234663852886e38,
  1.7976931348623157e308,
  172112000,
  2_000_000_000_000,
  1.9e10,
  99_999.7,
  0.00999999,
  9.9996,
  -99.995,
  Number.MAX_SAFE_INTEGER,
];
const anyNumber = fc.oneof(
  fc.constantFrom(...EXTREMES),
  fc.double(),
  fc.float(),
  fc.maxSafeInteger(),
  fc.integer({ min: -100_000, max: 100_000 }),
  fc.integer({ min: -324, max: 308 }).map((power) => 10 ** power),
);
const anyWidth = fc.integer({ min: 1, max: 24 });
const anyDigits = fc.integer({ min: 0, max: 7 });

const read = (text: string): number =>
  ({ NaN: Number.NaN, inf: Infinity, '\u2212inf': -Infinity })[text] ??
  Number(text.replaceAll('\u2212', '-').replaceAll(',', ''));

test('no text is longer than its width, whatever the value', () => {
  fc.assert(
    fc.property(anyNumber, anyNumber, anyDigits, anyWidth, (value, other, digits, width) => {
      const column = numberColumn([value, other], {
        plain: [-2, 1],
        plainDecimals: () => digits,
        decimals: 2,
        leading: 1,
        width,
      });
      const texts = [
        formatNumber(value, width),
        formatFixed(value, digits, width),
        formatPrecise(value, digits + 1, width),
        formatScale(Math.abs(value), width),
        formatSetting(value, width),
        formatCount(value, width),
        formatPercent(value, digits, width),
        formatRate(value, width),
        formatDuration(value, width),
        ...formatEnds(value, other, width),
        column.write(value),
        column.write(other),
      ];
      // Words for what is no number, and the sign of no room, need a few characters whatever the width.
      for (const text of texts) expect(text.length).toBeLessThanOrEqual(Math.max(width, 5));
      if (width >= 5) for (const text of texts) expect(text).not.toMatch(/undefined|null|-/u);
    }),
    { numRuns: 1000 },
  );
});

test('seven characters hold every number and six every float32, with a digit that is true', () => {
  fc.assert(
    fc.property(anyNumber, (value) => {
      for (const text of [formatNumber(value), formatNumber(Math.fround(value), 6)]) {
        expect(text).not.toContain('\u2026');
      }
      const back = read(formatNumber(value));
      if (!Number.isFinite(value) || value === 0) expect(back).toBe(value === 0 ? 0 : value);
      else if (Math.abs(value) < 1.79e308) {
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 0.34);
        expect(back).not.toBe(0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('minus is one sign everywhere and zero has none', () => {
  fc.assert(
    fc.property(
      anyNumber.filter((value) => value > 0),
      anyDigits,
      (value, digits) => {
        for (const write of [
          (one: number) => formatNumber(one, 60),
          (one: number) => formatFixed(one, digits, 60),
          (one: number) => formatPrecise(one, digits + 1, 60),
          (one: number) => formatPercent(one, digits, 60),
        ]) {
          const [plus, minus] = [write(value), write(-value)];
          if (!/[1-9i]/u.test(plus)) expect(minus).toBe(plus);
          else expect(minus).toBe(`\u2212${plus}`);
        }
      },
    ),
  );
});

test('the ends of an axis read the same only when they are', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(1e-15, 1e-9, 1e-6, 1e-3)),
      (low, part) => {
        const high = Math.abs(part) < 1 ? low + low * part : part;
        const [first, second] = formatEnds(low, high, 9);
        if (low === high) expect(second).toBe(first);
        else expect(second).not.toBe(first);
      },
    ),
    { numRuns: 2000 },
  );
  expect(formatEnds(2.302585, 2.302634)).toEqual(['2.30259', '2.30263']);
  expect(formatEnds(2.1, 2.3)).toEqual(['2.10', '2.30']);
  expect(formatEnds(1, 1 + Number.EPSILON)).toEqual(['1.000000', '+2.2e\u221216']);
});

test('formatNumber gives about three figures, a real minus, and never hides a bad number', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '0'],
    [3.6612, '3.66'],
    [123.4, '123'],
    [12_345.6, '12,346'],
    [0.0162, '0.016'],
    [0.00028, '2.8e\u22124'],
    [-0.00028, '\u22122.8e\u22124'],
    [-1.5, '\u22121.50'],
    [0.0000999, '1.0e\u22124'],
    [1_234_567, '1.2e6'],
    [1.9e10, '1.9e10'],
    [NaN, 'NaN'],
    [Infinity, 'inf'],
    [-Infinity, '\u2212inf'],
  ];
  for (const [value, text] of cases) expect(formatNumber(value)).toBe(text);
  expect(formatNumber(1.23e-38, 6)).toBe('1e\u221238');
});

test('formatPrecise gives as many figures as asked for, of any size', () => {
  const cases: [number, number, string][] = [
    [0, 4, '0'],
    [0.38214, 4, '0.3821'],
    [-0.412, 4, '\u22120.4120'],
    [0.00012346, 4, '1.235e\u22124'],
    [12.3456, 4, '12.35'],
    [9.9996, 4, '10.00'],
    [123456.7, 4, '123,457'],
    [1.2e-8, 2, '1.2e\u22128'],
    [1.5e10, 2, '1.5e10'],
    [NaN, 4, 'NaN'],
  ];
  for (const [value, figures, text] of cases) expect(formatPrecise(value, figures)).toBe(text);
});

test('formatScale reads back as the scale itself on every rung', () => {
  fc.assert(
    fc.property(fc.integer({ min: -60, max: 60 }), (rung) => {
      expect(read(formatScale(rungValue(rung)))).toBe(rungValue(rung));
    }),
  );
});

test('formatFixed gives up decimals before it grows', () => {
  expect([-0.0004, 0.0004, -0.01].map((value) => formatFixed(value, 2))).toEqual([
    '0.00',
    '0.00',
    '\u22120.01',
  ]);
  expect([172_112_000, 2e12, -123.456].map((value) => formatFixed(value, 3, 7))).toEqual([
    '1.7e8',
    '2.0e12',
    '\u2212123.46',
  ]);
});

test('counts and per cent', () => {
  expect([0, 999, 2640, 1234567].map((count) => formatCount(count))).toEqual([
    '0',
    '999',
    '2,640',
    '1,234,567',
  ]);
  expect(formatCount(Number.MAX_SAFE_INTEGER)).toBe('9.0e15');
  expect(formatPercent(0.9073, 2)).toBe('90.73 %');
  expect([0.999, 1].map((share) => formatPercent(share, 1, 6))).toEqual(['99.9 %', '100 %']);
  expect(formatPercent(NaN, 0)).toBe('NaN');
  expect(formatSteadyPercent(0.07)).toBe('\u20077 %');
});

test('a column of numbers has one power of ten, which is left out where numbers read well without', () => {
  const rule = {
    plain: [-2, 1],
    plainDecimals: () => 3,
    decimals: 2,
    leading: 1,
    width: 7,
  } as const;
  expect(commonExponent([0.0012, -0.0078, NaN])).toBe(-3);
  expect(commonExponent([0, 0])).toBe(0);
  expect(formatExponent(-3)).toBe('1e\u22123');
  const small = numberColumn([0.0012, -0.0078], rule);
  expect([small.exponent, small.write(-0.0078)]).toEqual([-3, '\u22127.80']);
  const usual = numberColumn([0.12, -30], rule);
  expect([usual.exponent, usual.write(0.12), usual.write(-30)]).toEqual([0, '0.120', '\u221230.000']);
  const large = numberColumn([1e38, 1, NaN, -Infinity], rule);
  expect([1e38, 1, NaN, -Infinity].map((value) => large.write(value))).toEqual([
    '1.00',
    '0.00',
    'NaN',
    '\u2212inf',
  ]);
});

test('settings keep every digit that has room', () => {
  expect([0.01, 0.1307, 64, 0, -0.5, 0.00025, 0.1 + 0.2, 1 / 3].map((value) => formatSetting(value))).toEqual(
    ['0.01', '0.1307', '64', '0', '\u22120.5', '2.5e\u22124', '0.3', '0.3333333333'],
  );
  expect(formatSetting(1 / (1 - 0.25), 5)).toBe('1.333');
});

test('slow rates keep a digit after the point, fast ones are whole and grouped', () => {
  expect([0.81, 1, 8.44, 9.96, 412.4, 18_420.3, 1e38].map((rate) => formatRate(rate))).toEqual([
    '0.8',
    '1',
    '8.4',
    '10',
    '412',
    '18,420',
    '1.0e38',
  ]);
});

test('a time is in a unit that suits it', () => {
  expect([0, 9.4, 999, 999.7, 1300, 720_000, 1e9].map((ms) => formatDuration(ms))).toEqual([
    '0 ms',
    '9 ms',
    '999 ms',
    '1.0 s',
    '1.3 s',
    '12 min',
    '278 h',
  ]);
});
