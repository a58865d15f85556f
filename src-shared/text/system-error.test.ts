import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeSystemError } from './system-error';

const failing = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It should have failed.');
};

// Catches: a stack trace where a sentence says more.
test('says what the system refused, and of which file', () => {
  const error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', path: '/a/b.js' });
  expect(describeSystemError(error)).toBe(
    'The system refused: /a/b.js: this process may not open more files (ulimit -n) (EMFILE).',
  );
  expect(describeSystemError(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }))).toBe(
    'The system refused: the disk is full (ENOSPC).',
  );
});

test('knows the errors of an engine that gets no memory', () => {
  const noMemory = new RangeError('WebAssembly.Memory(): could not allocate memory');
  expect(describeSystemError(noMemory)).toBe('There is not enough memory.');
});

// Catches: a fault of ours told as one of the machine, without its stack.
test('leaves every other error alone', () => {
  expect(describeSystemError(new TypeError('undefined is not a function'))).toBeUndefined();
  expect(describeSystemError('EMFILE')).toBeUndefined();
  expect(describeSystemError(failing(() => readFileSync('/there/is/no/such/file')))).toBeUndefined();
});
