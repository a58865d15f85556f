import { expect, test } from 'vitest';
import { shortSha } from './short-sha';

test('a digest shows both of its ends', () => {
  expect(shortSha(`4be190c72d5f${'0'.repeat(48)}a07e`)).toBe('4be1 90c7 2d5f … a07e');
});
