import { closeSync, lstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError, reasonOf } from '../../src-node/file-error.mjs';
import { processStart } from './process-start.mjs';
import { inProject, Refusal, say } from './project.mjs';
import { readText } from './read-text.mjs';

/** Whoever creates a lock writes its content at once. One without readable content after this time was left by a failure. */
const WRITTEN_MS = 10_000;
const LOOK_AGAIN_MS = 200;
const SAY_AGAIN_MS = 60_000;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The process that holds a lock. `started` is as in process-start.mjs; null where the system does not tell.
 * @typedef {{ pid: number, started: string | null }} Holder
 */

/**
 * Runs `work` while no other process of this repository runs the work of that name: two installs into one node_modules,
 * or two builds into one out/, would spoil each other. A lock counts while the process that wrote it runs; a process that
 * merely has its id now is told apart by its start time.
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
  const content = lockContent(process.pid);
  let sayNextAt = 0;
  /** Whose start time was looked up, which may take long: it does not change. */
  let seen = '';
  for (; !take(path, content); await pause(LOOK_AGAIN_MS)) {
    const found = readLock(path);
    if (found === null) continue;
    const holder = parseHolder(found);
    const isStale = holder === null ? isOld(path) : found === seen ? !isAlive(holder.pid) : !isHolder(holder);
    seen = found;
    if (isStale) {
      removeStale(path, found);
      continue;
    }
    const who = holder === null ? 'a process that does not say its id' : `process ${holder.pid}`;
    const waited = Date.now() - begun;
    if (waited >= limitMs) throw new Refusal(`The lock ${path} (${name}) is held by ${who}.`);
    if (waited < sayNextAt) continue;
    say(`Waiting for ${who}, which holds the lock ${path} (${name}) ...`);
    sayNextAt = waited + SAY_AGAIN_MS;
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * What a lock that this process holds has in its file.
 * @param {number} pid
 */
export const lockContent = (pid) => JSON.stringify({ pid, started: processStart(pid) });

/**
 * Whether the lock is ours now.
 * @param {string} path
 * @param {string} content
 */
function take(path, content) {
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
    writeSync(file, content);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * Removes a lock that counts no longer, unless another process has done so and taken it since. One at a time looks and
 * removes: these are two steps, between which nobody else may take the lock.
 * @param {string} path
 * @param {string} content that was judged
 */
function removeStale(path, content) {
  const guard = `${path}.removing`;
  try {
    closeSync(openSync(guard, 'wx'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    if (isOld(guard)) removeGuard(guard);
    return;
  }
  try {
    if (readLock(path) === content) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** @param {string} guard */
function removeGuard(guard) {
  try {
    rmSync(guard, { force: true });
  } catch (error) {
    throw new Refusal(`The lock ${guard} cannot be removed, as ${reasonOf(error)}: remove it.`);
  }
}

/**
 * @param {string} path
 * @returns {string | null} null: there is none any more
 * @throws {Refusal} when something stands there that is no lock and does not go by itself
 */
function readLock(path) {
  try {
    return readText(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    const { code } = /** @type {NodeJS.ErrnoException} */ (error.cause ?? {});
    if (code !== 'ENOENT')
      throw new Refusal(`The lock ${path} cannot be read, as ${error.reason}: remove it.`);
    // Nobody can create a file where a link stands, though what it leads to is not there.
    if (isThere) throw new Refusal(`The lock ${path} is a symbolic link that leads nowhere: remove it.`);
    return null;
  }
}

/** @param {string} path */
function isOld(path) {
  const { mtimeMs } = lstatSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
  return Math.abs(Date.now() - mtimeMs) > WRITTEN_MS;
}

/**
 * @param {string} content
 * @returns {Holder | null} null: nobody can be read out of it
 */
function parseHolder(content) {
  try {
    /** @type {unknown} */
    const read = JSON.parse(content);
    const { pid, started } = /** @type {{ pid: unknown, started: unknown }} */ (read);
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null;
    if (started !== null && typeof started !== 'string') return null;
    // Where the system tells start times, nobody writes a lock without one.
    if (started === null && processStart(process.pid) !== null) return null;
    return { pid, started };
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

/**
 * Whether that very process runs, and not a later one with its id.
 * @param {Holder} holder
 */
function isHolder({ pid, started }) {
  if (!isAlive(pid)) return false;
  const now = processStart(pid);
  return started === null || now === null || now === started;
}
