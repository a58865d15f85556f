import { mkdirSync, openSync, readFileSync, rmSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { inProject, say } from './project.mjs';

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `work` while no other process of this repository runs the work of that name: two installs into one node_modules,
 * or two builds into one out/, would spoil each other. A lock whose process is gone counts for nothing.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {string} [folder] what the work is done in, where it is not the repository's own
 * @returns {Promise<T>}
 */
export async function alone(name, work, folder = inProject('.cache')) {
  const path = join(folder, `${name}.lock`);
  mkdirSync(folder, { recursive: true });
  for (let told = false; !take(path); await pause(200)) {
    const holder = holderOf(path);
    if (holder === null) continue;
    if (!isAlive(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`Waiting for process ${holder}, which does the same (${name}) ...`);
    told = true;
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function take(path) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
