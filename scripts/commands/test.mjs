import { mkdirSync, rmSync } from 'node:fs';
import { ensureBuilt } from '../lib/build.mjs';
import { ensureChromium } from '../lib/chromium.mjs';
import { oneCheck, playwrightCounts, readReport, vitestCounts } from '../lib/counts.mjs';
import { electronBinary, whyElectronCannotStart } from '../lib/electron.mjs';
import { ensureInstalled } from '../lib/install.mjs';
import { runNode } from '../lib/processes.mjs';
import { inProject, quoted, Refusal, runScript, say } from '../lib/project.mjs';
import { setUpTensorFlow } from '../lib/tensorflow.mjs';

/** @typedef {import('../lib/counts.mjs').Counts} Counts */

const REPORTS = 'out/reports';
/** For fetching, unpacking and compiling, each, and for waiting until another process has done it. */
const TENSORFLOW_LIMIT_MS = 180_000;
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
  if (unknown !== undefined) throw new Refusal(`npm test knows no option ${quoted(unknown)}.`, 2);
  const withBrowser = !args.includes('--without-browser');

  await ensureInstalled();
  if (withBrowser) process.env['CHROME_PATH'] = await ensureChromium();
  await tryTensorFlow();
  rmSync(inProject(REPORTS), { recursive: true, force: true });
  mkdirSync(inProject(REPORTS), { recursive: true });

  /** @type {[string, () => Promise<Counts>][]} */
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
          'src-node',
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

  /** @type {Counts} */
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
    const line = `${name.padEnd(22)}${seconds.padStart(7)} s   ${counts}`;
    summary.push(line);
    print(line);
  }
  print(`\n${summary.join('\n')}\n`);
  print(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
});

/** Where it cannot be set up, the suites of that engine say that they are skipped. */
async function tryTensorFlow() {
  try {
    await setUpTensorFlow('tensorflow', {
      quiet: true,
      timeoutMs: TENSORFLOW_LIMIT_MS,
      onlyTried: true,
    });
  } catch (error) {
    if (!(error instanceof Refusal) || error.exitCode === 130) throw error;
    say(`The engine tensorflow cannot be set up here, so its suites are skipped: ${error.message}`);
  }
}

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
  return oneCheck(ended.code === 0);
}

async function buildStep() {
  try {
    await ensureBuilt();
    return oneCheck(true);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    print(error.message);
    return oneCheck(false);
  }
}

async function vitest() {
  const report = `${REPORTS}/vitest.json`;
  const { code } = await runStep([
    bin.vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  return vitestCounts(
    code,
    /** @type {import('../lib/counts.mjs').VitestReport | null} */ (readReport(report)),
  );
}

async function playwright() {
  const report = `${REPORTS}/playwright.json`;
  const projects = ['--project=browser'];
  const whyNoDesktop =
    electronBinary() === null ? "Electron's binary is not here" : whyElectronCannotStart(electronBinary());
  if (whyNoDesktop === null) projects.push('--project=desktop');
  else print(`The project "desktop" is skipped: ${whyNoDesktop}.`);
  const { code } = await runStep([bin.playwright, 'test', '--reporter=list,json', ...projects], {
    env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: inProject(report) },
  });
  return playwrightCounts(
    code,
    /** @type {import('../lib/counts.mjs').PlaywrightReport | null} */ (readReport(report)),
  );
}
