import { expect, test } from 'vitest';
import { playwrightCounts, vitestCounts } from './counts.mjs';

const vitest = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const stats = { expected: 3, unexpected: 0, flaky: 0, skipped: 0 };

test('passed tests are counted', () => {
  expect(vitestCounts(0, vitest)).toEqual({ passed: 3, failed: 0, skipped: 0 });
  expect(playwrightCounts(0, { stats, errors: [] })).toEqual({ passed: 3, failed: 0, skipped: 0 });
});

test('a run without tests has failed: a wrong pattern would otherwise look like success', () => {
  expect(vitestCounts(0, { ...vitest, numPassedTests: 0 }).failed).toBe(1);
  expect(playwrightCounts(0, { stats: { ...stats, expected: 0 }, errors: [] }).failed).toBe(1);
});

test('a runner that broke down without a report has failed', () => {
  expect(vitestCounts(0, null).failed).toBe(1);
  expect(playwrightCounts(1, null).failed).toBe(1);
});

test('a test file that does not load counts, although it has no test that failed', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [{ status: 'failed' }] },
    { status: 'passed', assertionResults: [{ status: 'passed' }] },
  ];
  expect(vitestCounts(1, { ...vitest, numFailedTests: 1, testResults }).failed).toBe(2);
});

test('an error outside the tests counts, and so does a test that passed only the second time', () => {
  expect(vitestCounts(1, vitest).failed).toBe(1);
  expect(playwrightCounts(1, { stats: { ...stats, flaky: 1 }, errors: [{}] }).failed).toBe(2);
});
