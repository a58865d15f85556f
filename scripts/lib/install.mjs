import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { alone } from './lock.mjs';
import { run, runNode } from './processes.mjs';
import { inProject, Refusal, requireBuildablePath, ROOT, say } from './project.mjs';
import { readJsonIfThere } from './read-text.mjs';

const LOCKFILE = inProject('package-lock.json');
/** npm writes this list last: an install that was interrupted has none. */
const INSTALLED = inProject('node_modules/.package-lock.json');

/**
 * Installs the npm packages unless exactly those of the lockfile are there.
 * @throws {Refusal} when they cannot be installed
 */
export async function ensureInstalled() {
  // Said before a minute of installing.
  requireBuildablePath(ROOT);
  if (missingPackages().length === 0) return;
  await alone('install', async () => {
    const missing = missingPackages();
    if (missing.length === 0) return;
    say(
      existsSync(inProject('node_modules'))
        ? `Installing the npm packages again: ${nameSome(missing)} ...`
        : 'Installing the npm packages (once) ...',
    );
    const ended = await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
    if (ended.interrupted) throw new Refusal('The installation was interrupted.', ended.code);
    if (ended.code !== 0)
      throw new Refusal(`npm ci failed with exit code ${ended.code}; what it said is above.`);
  });
}

/**
 * What is not installed as the lockfile has it, each in words.
 * @returns {string[]}
 * @throws {Refusal} when the lockfile itself is not there or cannot be read
 */
function missingPackages() {
  const wanted = packagesOf(LOCKFILE);
  if (wanted === null)
    throw new Refusal(`${LOCKFILE} is missing or damaged: take it from the repository again.`);
  const installed = packagesOf(INSTALLED);
  if (installed === null) return ['the last installation was not finished'];
  return [...differing(wanted, installed), ...incomplete(inProject('.'), installed)];
}

/** @param {readonly string[]} reasons */
const nameSome = (reasons) =>
  reasons.slice(0, 3).join(', ') + (reasons.length > 3 ? ` and ${reasons.length - 3} more` : '');

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, link?: boolean }>} Packages */

/**
 * Packages of the lockfile that npm has not installed, or in another version. Optional ones (those for other platforms)
 * may be in the lockfile alone.
 * @param {Packages} wanted
 * @param {Packages} installed
 */
export const differing = (wanted, installed) =>
  Object.entries(wanted)
    .filter(([path, { version, optional, devOptional }]) => {
      if (path === '') return false;
      const found = installed[path];
      return found === undefined ? optional !== true && devOptional !== true : found.version !== version;
    })
    .map(([path, { version }]) => `${path} ${version ?? ''} is not installed`);

/**
 * Packages that npm has installed and that somebody has removed or replaced since.
 * @param {string} folder that contains node_modules
 * @param {Packages} installed
 */
export const incomplete = (folder, installed) =>
  Object.entries(installed)
    .filter(
      ([path, { version, link }]) =>
        path !== '' && link !== true && versionAt(join(folder, path)) !== version,
    )
    .map(([path]) => `${path} is incomplete`);

/** @param {string} folder of a package */
function versionAt(folder) {
  const content = readJsonIfThere(join(folder, 'package.json'));
  return /** @type {{ version?: unknown } | null} */ (content)?.version;
}

/**
 * @param {string} path
 * @returns {Packages | null} null: it is not there, or it is damaged
 */
function packagesOf(path) {
  const content = /** @type {{ packages?: unknown } | null} */ (readJsonIfThere(path));
  const packages = content?.packages;
  return typeof packages === 'object' ? /** @type {Packages | null} */ (packages) : null;
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
