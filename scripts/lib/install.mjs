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
    const ended = await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (ended.code !== 0)
      throw new Refusal(`npm ci failed with exit code ${ended.code}; what it said is above.`);
  });
}

/**
 * npm writes node_modules/.package-lock.json last, as a list of what it has installed; an install that was broken off has
 * none. Packages for other platforms are in the lockfile alone.
 */
function isInstalled() {
  const installedPath = inProject('node_modules/.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = packagesOf(inProject('package-lock.json'));
  const installed = packagesOf(installedPath);
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    const found = installed[path];
    if (found === undefined) return path === '' || optional === true || devOptional === true;
    return found.version === version;
  });
}

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages */

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
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { stdio: [...stdio] });
}
