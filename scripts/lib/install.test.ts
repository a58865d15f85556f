import { expect, test } from 'vitest';
import { isComplete } from './install.mjs';

const wanted = {
  '': {},
  'node_modules/a': { version: '1.0.0' },
  'node_modules/b-win32': { version: '2.0.0', optional: true },
};

test('packages for other platforms need not be there', () => {
  expect(isComplete(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe(true);
});

test('a package that was added or raised in the lockfile is installed again', () => {
  expect(isComplete(wanted, {})).toBe(false);
  expect(isComplete(wanted, { 'node_modules/a': { version: '0.9.0' } })).toBe(false);
  expect(
    isComplete(wanted, {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b-win32': { version: '1.0.0' },
    }),
  ).toBe(false);
});
