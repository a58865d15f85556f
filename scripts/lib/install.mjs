import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { alone } from './lock.mjs';
import { run, runNode } from './processes.mjs';
import { inProject, Refusal, say } from './project.mjs';

/** Installs the npm packages unless exactly those of the lockfile are there. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  await alone('install', async () => {
    if (isInstalled()) return;
    say('Installing the npm packages (once) ...');
    const ended = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
    if (ended.code !== 0)
      throw new Refusal(`npm ci failed with exit code ${ended.code}; what it said is above.`);
  });
}

/** npm writes this list of what it has installed last; an install that was broken off has none. */
const INSTALLED = 'node_modules/.package-lock.json';

const isInstalled = () =>
  existsSync(inProject(INSTALLED)) &&
  isComplete(packagesOf(inProject('package-lock.json')), packagesOf(inProject(INSTALLED)));

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages */

/**
 * Packages that are optional (those for other platforms) may be in the lockfile alone.
 * @param {Packages} wanted
 * @param {Packages} installed
 */
export const isComplete = (wanted, installed) =>
  Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? optional === true || devOptional === true : found.version === version;
  });

/**
 * @param {string} path
 * @returns {Packages}
 */
function packagesOf(path) {
  /** @type {unknown} */
  const lockfile = JSON.parse(readFileSync(path, 'utf8'));
  return /** @type {{ packages: Packages }} */ (lockfile).packages;
}

/** @param {readonly string[]} args */
function npm(args) {
  const stdio = /** @type {const} */ (['ignore', 2, 2]);
  // npm says where it is to what it runs; that one is right even where several are installed.
  const npmCli = process.env['npm_execpath'];
  if (npmCli !== undefined && basename(npmCli).startsWith('npm'))
    return runNode([npmCli, ...args], { stdio: [...stdio] });
  return run('npm', args, { stdio: [...stdio] });
}
