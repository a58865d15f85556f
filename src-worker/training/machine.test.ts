import { expect, it } from 'vitest';
import { describeMachine } from './machine';

// Catches: engines that were measured on one thread, as somebody asked for, being believed when all threads are there.
it('tells apart what was measured with a number of threads that was asked for', () => {
  const machine = (GRADSCOPE_THREADS?: string): string =>
    describeMachine('1.0.0', GRADSCOPE_THREADS === undefined ? {} : { GRADSCOPE_THREADS });
  expect(machine('')).toBe(machine());
  expect(new Set([machine(), machine('1'), machine('2')]).size).toBe(3);
  expect(describeMachine('1.0.1', {})).not.toBe(machine());
});
