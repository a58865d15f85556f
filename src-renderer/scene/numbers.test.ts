import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  commonExponent,
  formatCount,
  formatExponent,
  formatFixed,
  formatNumber,
  formatPercent,
  formatPrecise,
  formatScale,
} from './numbers';
import { rungValue } from './scale';

test('formatNumber gives about three figures, a real minus, and never hides a bad number', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [3.6612, '3.66'],
    [123.4, '123'],
    [0.0162, '0.016'],
    [0.00028, '2.8e\u22124'],
    [-0.00028, '\u22122.8e\u22124'],
    [-1.5, '\u22121.50'],
    [0.0000999, '1.0e\u22124'],
    [1234567, '1.2e6'],
    [NaN, 'NaN'],
    [Infinity, 'inf'],
    [-Infinity, '\u2212inf'],
  ];
  for (const [value, text] of cases) expect(formatNumber(value)).toBe(text);
});

test('formatPrecise gives as many figures as asked for, of any size', () => {
  const cases: [number, number, string][] = [
    [0, 4, '0'],
    [0.38214, 4, '0.3821'],
    [-0.412, 4, '\u22120.4120'],
    [0.00012346, 4, '1.235e\u22124'],
    [12.3456, 4, '12.35'],
    [123456.7, 4, '123457'],
    [1.2e-8, 2, '1.2e\u22128'],
    [1.5e10, 2, '1.5e10'],
    [NaN, 4, 'NaN'],
  ];
  for (const [value, figures, text] of cases) expect(formatPrecise(value, figures)).toBe(text);
});

test('formatScale reads back as the scale itself on every rung', () => {
  fc.assert(
    fc.property(fc.integer({ min: -60, max: 60 }), (rung) => {
      const text = formatScale(rungValue(rung)).replaceAll('\u2212', '-');
      expect(Number(text)).toBe(rungValue(rung));
    }),
  );
});

test('formatFixed gives zero no sign', () => {
  expect([-0.0004, 0.0004, -0.01].map((value) => formatFixed(value, 2))).toEqual([
    '0.00',
    '0.00',
    '\u22120.01',
  ]);
});

test('counts, per cent and common factors', () => {
  expect([0, 999, 2640, 1234567].map(formatCount)).toEqual(['0', '999', '2,640', '1,234,567']);
  expect(formatPercent(0.9073, 2)).toBe('90.73 %');
  expect(formatPercent(NaN, 0)).toBe('NaN');
  expect(commonExponent([0.0012, -0.0078, NaN])).toBe(-3);
  expect(commonExponent([0, 0])).toBe(0);
  expect(formatExponent(-3)).toBe('1e\u22123');
});
