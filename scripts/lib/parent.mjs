import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How often the parent is looked for, in milliseconds. */
const LOOK_EVERY_MS = 500;
/** How long a program without a parent may take to end in its own way, in milliseconds. */
const ENDING_LIMIT_MS = 10_000;

/**
 * @typedef {object} Kin a process and where it stands
 * @property {number} pid
 * @property {number} parent
 * @property {number} group
 * @property {string} name of its program
 */

// As this program begins: whoever takes over orphans comes later.
const parent = process.ppid;
let isWatched = false;

/**
 * Ends this script when whoever has started it goes, however that goes: as on SIGTERM where somebody listens, and after ten
 * seconds in any case. npm is watched as well, as it starts a script by a shell, which outlives it.
 */
export function endWithParent() {
  if (isWatched) return;
  isWatched = true;
  const npm = startedByNpm() ? findNpm() : null;
  if (npm === 'gone') endAsOnSigterm();
  endWhen(() => process.ppid !== parent || !isThere(parent) || (typeof npm === 'number' && !isStillNpm(npm)));
}

/**
 * Looks twice a second whether it is time to end, and ends then: as on SIGTERM where somebody listens, and after ten seconds in
 * any case.
 * @param {() => boolean} isTime
 */
export function endWhen(isTime) {
  const timer = setInterval(() => {
    if (!isTime()) return;
    clearInterval(timer);
    endAsOnSigterm();
  }, LOOK_EVERY_MS).unref();
}

function endAsOnSigterm() {
  // process.exit() waits for file accesses, which may never end.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ENDING_LIMIT_MS).unref();
  if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(143);
}

/** Whether a process of this number is there. @param {number} pid */
export function isThere(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH';
  }
}

/** These variables are handed on to whatever npm starts, so they have to name this very script. */
const startedByNpm = () =>
  process.env['npm_package_json'] === fileURLToPath(new URL('../../package.json', import.meta.url)) &&
  (process.env['npm_lifecycle_script'] ?? '').includes('node scripts/');

/**
 * npm's process, where another one stands between it and this script; null where it is the parent itself, or cannot be told.
 * @returns {number | 'gone' | null}
 */
function findNpm() {
  const self = lookUp(process.pid);
  const above = lookUp(parent);
  if (self === null) return null;
  // npm, its shell and this script are of one process group; who takes over orphans is of another.
  if (above === null || above.group !== self.group) return 'gone';
  if (!/sh$|busybox/.test(above.name)) return null;
  const npm = lookUp(above.parent);
  return npm === null || npm.group !== self.group ? 'gone' : npm.pid;
}

/** @param {number} npm */
const isStillNpm = (npm) => (process.platform === 'linux' ? lookUp(parent)?.parent === npm : isThere(npm));

/**
 * @param {number} pid
 * @returns {Kin | null} null: there is none, or this system does not tell
 */
function lookUp(pid) {
  if (process.platform === 'win32') return null;
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name stands in brackets and may hold any character.
      const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
      const [, above, group] = stat.slice(close + 2).split(' ');
      return { pid, parent: Number(above), group: Number(group), name: stat.slice(open + 1, close) };
    } catch {
      return null;
    }
  }
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,pgid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const [, above, group, name = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/m.exec(stdout) ?? [];
  return above === undefined ? null : { pid, parent: Number(above), group: Number(group), name: name.trim() };
}
