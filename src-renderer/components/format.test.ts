import { expect, test } from 'vitest';
import { duration, perSecond, plain, shapeText, shortSha } from './format';

test('settings keep every digit', () => {
  expect([0.01, 0.1307, 64, 0, -0.5, 0.00025].map(plain)).toEqual([
    '0.01',
    '0.1307',
    '64',
    '0',
    '−0.5',
    '2.5e−4',
  ]);
});

test('slow rates keep a digit after the point, fast ones are whole and grouped', () => {
  expect([0.81, 1, 8.44, 412.4, 18_420.3].map(perSecond)).toEqual(['0.8', '1', '8.4', '412', '18,420']);
});

test('an age of seconds is not written in thousands of milliseconds', () => {
  expect([0, 9.4, 999, 1300].map(duration)).toEqual(['0 ms', '9 ms', '999 ms', '1.3 s']);
});

test('a digest shows both of its ends', () => {
  expect(shortSha(`4be190c72d5f${'0'.repeat(48)}a07e`)).toBe('4be1 90c7 2d5f … a07e');
});

test('shapes are set with thin spaces', () => {
  expect(shapeText([20, 8, 8])).toBe(['20', '8', '8'].join('\u2009×\u2009'));
});
