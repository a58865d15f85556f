import { inProject } from './project.mjs';
import { readJsonIfThere } from './read-text.mjs';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * @typedef {object} VitestReport as much of vitest's JSON report as is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults
 */

/**
 * @typedef {object} PlaywrightReport as much of Playwright's JSON report as is read here
 * @property {{ expected: number, unexpected: number, flaky: number, skipped: number }} stats
 * @property {unknown[]} errors outside any test
 */

/**
 * @param {boolean} passed
 * @returns {Counts}
 */
export const oneCheck = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });

/**
 * @param {number} exitCode of vitest
 * @param {VitestReport | null} report null: it ended before it could write one
 */
export function vitestCounts(exitCode, report) {
  if (report === null) return oneCheck(false);
  // A file that does not even load has no tests that could fail.
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  return judged(exitCode, {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + report.numTodoTests,
  });
}

/**
 * @param {number} exitCode of Playwright
 * @param {PlaywrightReport | null} report null: it ended before it could write one
 */
export function playwrightCounts(exitCode, report) {
  if (report === null) return oneCheck(false);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return judged(exitCode, { passed: expected, failed: unexpected + flaky + report.errors.length, skipped });
}

/**
 * A runner that is not content although no test failed, or that ran nothing, has failed too.
 * @param {number} exitCode
 * @param {Counts} counts
 * @returns {Counts}
 */
function judged(exitCode, counts) {
  const silent = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  return silent ? { ...counts, failed: 1 } : counts;
}

/**
 * @param {string} path relative to the repository
 * @returns {unknown} null: there is none, or it is not whole
 */
export const readReport = (path) => readJsonIfThere(inProject(path));
