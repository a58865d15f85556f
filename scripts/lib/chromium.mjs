import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { errorLine, run, runNode } from './processes.mjs';
import { inProject, Refusal, say } from './project.mjs';

const ON_PATH = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ELSEWHERE = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  `${process.env['PROGRAMFILES'] ?? 'C:\\Program Files'}\\Google\\Chrome\\Application\\chrome.exe`,
];

const APT_GET = '/usr/bin/apt-get';

const isRoot = process.getuid?.() === 0;

/**
 * Path of a Chromium or Chrome that is installed: CHROME_PATH, or one of the usual places. Undefined: there is none.
 * @throws {Refusal} when CHROME_PATH names something that does not start
 */
export function findChromium() {
  const asked = process.env['CHROME_PATH'];
  if (asked !== undefined && asked !== '') {
    if (starts(asked)) return asked;
    throw new Refusal(`CHROME_PATH is ${asked}, which is no Chromium that starts.`, 2);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = ON_PATH.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...ELSEWHERE].find(starts);
}

/**
 * The chromium-browser of an Ubuntu without snaps is a script that only says so: to be there is not enough.
 * @param {string} path
 */
function starts(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return false;
  }
  if (process.platform === 'win32') return true; // chrome.exe --version opens a window
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 60_000 }).status === 0;
}

/** Command-line arguments that keep a Chromium under test to itself. */
export const chromiumArguments = () => [
  ...(isRoot ? ['--no-sandbox'] : []),
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/**
 * Path of a Chromium; installs one where there is none. Needs the npm packages.
 * @throws {Refusal} when none can be had
 */
export async function ensureChromium() {
  return findChromium() ?? (await installFromDebian()) ?? (await installFromPlaywright());
}

/** @returns {Promise<string | undefined>} undefined: not Debian, not root, or it did not work */
async function installFromDebian() {
  if (!isRoot || !existsSync(APT_GET)) return undefined;
  say('No Chromium is installed: installing it with apt-get (once) ...');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'chromium'],
  ]) {
    const ended = await run(APT_GET, args, { capture: true, env });
    if (ended.code !== 0) {
      say(`apt-get ${args[0] ?? ''} failed: ${errorLine(ended.output)}`);
      return undefined;
    }
  }
  return findChromium();
}

async function installFromPlaywright() {
  const { chromium } = await import('@playwright/test');
  const path = chromium.executablePath();
  if (!starts(path)) {
    say('No Chromium is installed: asking Playwright for its own (once) ...');
    const cli = inProject('node_modules/@playwright/test/cli.js');
    const ended = await runNode([cli, 'install', 'chromium'], { capture: true, timeoutMs: 600_000 });
    if (ended.code !== 0 || !starts(path)) {
      throw new Refusal(
        'The end-to-end tests need a Chromium or Chrome, and none is installed nor could be fetched ' +
          `(${errorLine(ended.output)}): install one, or name it in CHROME_PATH.`,
      );
    }
  }
  return path;
}
