import { mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inProject, Refusal, say } from './project.mjs';

/** A lock has its process within this time, unless whoever made it could not write it. */
const WRITTEN_MS = 10_000;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs `work` while no other process of this repository runs the work of that name: two installs into one node_modules,
 * or two builds into one out/, would spoil each other. A lock whose process is gone counts for nothing.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {string} [folder] what the work is done in, where it is not the repository's own
 * @param {number} [limitMs] for waiting
 * @returns {Promise<T>}
 * @throws {Refusal} when another process still is at work after that time
 */
export async function alone(name, work, folder = inProject('.cache'), limitMs = Infinity) {
  const begun = Date.now();
  const path = join(folder, `${name}.lock`);
  for (let told = false; !take(path); await pause(200)) {
    const holder = holderOf(path);
    if (holder === null ? isLeftEmpty(path) : !isAlive(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (Date.now() - begun >= limitMs)
      throw new Refusal(`Another process is at work there (${name}); ${path} is its lock.`);
    if (holder === null) continue;
    if (!told) say(`Waiting for process ${holder}, which is at work there (${name}) ...`);
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
  /** @type {number} */
  let file;
  mkdirSync(dirname(path), { recursive: true });
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    // Without its folder: whoever had the lock before took that away between the two lines above.
    if (['EEXIST', 'ENOENT'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return false;
    throw error;
  }
  try {
    writeSync(file, String(process.pid));
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** @param {string} path */
function isLeftEmpty(path) {
  const { size = 1, mtimeMs = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return size === 0 && Date.now() - mtimeMs > WRITTEN_MS;
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
