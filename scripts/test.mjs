// npm test and npm run check (--without-browser): every check there is, each with its time; all run, whatever fails.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { electronBinary, whyElectronCannotStart } from './lib/electron.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { runNode } from './lib/processes.mjs';
import { inProject, Refusal, runScript } from './lib/project.mjs';

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

const REPORTS = 'out/reports';
const bin = {
  tsc: 'node_modules/typescript/bin/tsc',
  eslint: 'node_modules/eslint/bin/eslint.js',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  depcruise: 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  knip: 'node_modules/knip/bin/knip.js',
  vitest: 'node_modules/vitest/vitest.mjs',
  playwright: 'node_modules/@playwright/test/cli.js',
};

/** @param {string} text */
const print = (text) => {
  process.stdout.write(`${text}\n`);
};

await runScript(async () => {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== '--without-browser');
  if (unknown !== undefined) throw new Refusal(`npm test knows no option ${unknown}.`, 2);
  const withBrowser = !args.includes('--without-browser');

  await ensureInstalled();
  if (withBrowser) process.env['CHROME_PATH'] = await ensureChromium();
  rmSync(inProject(REPORTS), { recursive: true, force: true });
  mkdirSync(inProject(REPORTS), { recursive: true });

  /** @type {[string, () => Promise<Outcome>][]} */
  const steps = [
    ['types', () => check([bin.tsc, '-b'])],
    ['lint', () => check([bin.eslint, '.'])],
    ['format', () => check([bin.biome, 'format', '.'])],
    [
      'walls',
      () =>
        check([
          bin.depcruise,
          '--config',
          '.dependency-cruiser.cjs',
          'src-shared',
          'src-worker',
          'src-main',
          'src-renderer',
        ]),
    ],
    ['dead code', () => check([bin.knip])],
    ['build', buildStep],
    ['unit and integration', vitest],
  ];
  if (withBrowser) steps.push(['end to end', playwright]);

  /** @type {Outcome} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const summary = [];
  for (const [name, step] of steps) {
    print(`\n--- ${name}`);
    const began = Date.now();
    const { passed, failed, skipped } = await step();
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    summary.push(`${name.padEnd(22)}${seconds.padStart(7)} s   ${counts}`);
    print(summary.at(-1) ?? '');
  }
  print(`\n${summary.join('\n')}\n`);
  print(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
});

/**
 * @param {Parameters<typeof runNode>} parameters
 * @returns {ReturnType<typeof runNode>}
 */
async function runStep(...parameters) {
  const ended = await runNode(...parameters);
  if (ended.interrupted) throw new Refusal('Stopped.', 130);
  return ended;
}

/**
 * A check that passes or fails as a whole; what it found is printed when it fails.
 * @param {[string, ...string[]]} command
 */
async function check(command) {
  const ended = await runStep(command, { capture: true });
  if (ended.code !== 0) print(ended.output);
  return outcome(ended.code === 0);
}

async function buildStep() {
  try {
    await ensureBuilt();
    return outcome(true);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    print(error.message);
    return outcome(false);
  }
}

/** @param {boolean} passed */
const outcome = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });

async function vitest() {
  const report = `${REPORTS}/vitest.json`;
  const ended = await runStep([
    bin.vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
    /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
     *    testResults: { status: string, assertionResults: { status: string }[] }[] }} */ (
      readReport(report)
    );
  // A file that does not even load has no tests to count.
  const unloaded = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  return counted(ended.code, numPassedTests, numFailedTests + unloaded, numPendingTests + numTodoTests);
}

async function playwright() {
  const report = `${REPORTS}/playwright.json`;
  const projects = ['--project=browser'];
  const whyNoDesktop =
    electronBinary() === null ? "Electron's binary is not here" : whyElectronCannotStart(electronBinary());
  if (whyNoDesktop === null) projects.push('--project=desktop');
  else print(`The project "desktop" is skipped: ${whyNoDesktop}.`);
  const ended = await runStep([bin.playwright, 'test', '--reporter=list,json', ...projects], {
    env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: inProject(report) },
  });
  const { stats, errors } =
    /** @type {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number }, errors: unknown[] }} */ (
      readReport(report)
    );
  return counted(ended.code, stats.expected, stats.unexpected + stats.flaky + errors.length, stats.skipped);
}

/**
 * @param {number} exitCode
 * @param {number} passed
 * @param {number} failed
 * @param {number} skipped
 * @returns {Outcome}
 */
function counted(exitCode, passed, failed, skipped) {
  // A runner that is not content although every test passed (an error outside the tests, no tests found) has failed too.
  const runnerFailed = (exitCode !== 0 && failed === 0) || passed + failed === 0;
  return { passed, failed: failed + (runnerFailed ? 1 : 0), skipped };
}

/**
 * @param {string} path
 * @returns {unknown}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(inProject(path), 'utf8'));
  } catch {
    // The runner ended before it could write one.
    return {
      numPassedTests: 0,
      numFailedTests: 0,
      numPendingTests: 0,
      numTodoTests: 0,
      testResults: [],
      stats: { expected: 0, unexpected: 0, flaky: 0, skipped: 0 },
      errors: [],
    };
  }
}
