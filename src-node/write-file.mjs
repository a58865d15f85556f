import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { FileError, kindOf, reasonOf } from './file-error.mjs';

/**
 * Every file that Gradscope writes is written here: whole or not at all. The content goes to a draft in the same folder, onto the
 * disk, and then takes the place of the file in one step. Whoever reads the file sees the old content or the new one.
 */

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * Where a path leads.
 * @typedef {object} Target
 * @property {string} path absolute, free of symbolic links
 * @property {import('node:fs').Stats | null} found what is there; null: nothing yet
 * @property {number | null} descriptor the path names this open file of the process, as /dev/stdout does
 */

/**
 * Follows symbolic links to the end. The last one may lead to a file that is not there yet.
 * @param {string} file
 * @returns {Target}
 * @throws {FileError}
 */
export function targetOf(file) {
  try {
    return follow(file);
  } catch (error) {
    throw new FileError(file, 'written', reasonOf(error), { cause: error });
  }
}

/**
 * @param {string} file
 * @returns {Target}
 */
function follow(file) {
  let path = file;
  for (let links = 0; links <= MOST_LINKS; links++) {
    if (path === '') throw refusal(file, 'its name is empty');
    const named = basename(path);
    const isFolderName = path.endsWith('/') || path.endsWith(sep) || named === '.' || named === '..';
    const folder = realFolder(file, dirname(path));
    const descriptor = descriptorNamed(folder, named);
    const at = join(folder, named);
    if (descriptor !== null) return { path: at, found: fstatSync(descriptor), descriptor };
    const found = lstatSync(at, { throwIfNoEntry: false }) ?? null;
    if (found === null && isFolderName) throw refusal(file, 'its name is that of a folder');
    if (found === null || !found.isSymbolicLink()) {
      if (isFolderName && found?.isDirectory() === false) throw refusal(file, 'its name is that of a folder');
      return { path: at, found, descriptor: null };
    }
    refuseForeignLink(file, folder, found);
    const link = readlinkSync(at);
    // Not normalised: in "a/../b" the folder "a" may be a link itself.
    path = isAbsolute(link) ? link : `${folder}${sep}${link}`;
  }
  throw refusal(file, 'its symbolic links go in a circle');
}

/**
 * @param {string} file
 * @param {string} folder
 * @returns {string}
 */
function realFolder(file, folder) {
  /** @type {string} */
  let real;
  try {
    real = realpathSync.native(folder);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT') throw refusal(file, 'its folder does not exist');
    throw error;
  }
  if (!statSync(real).isDirectory()) throw refusal(file, 'a part of its path is not a folder');
  return real;
}

/**
 * Files that the process has open are found under these names. Following them would end at the file behind, and replacing
 * that would take it from whoever has it open.
 * @param {string} folder
 * @param {string} name
 * @returns {number | null}
 */
function descriptorNamed(folder, name) {
  const own = new RegExp(`^(/dev/fd|/proc/${process.pid}(/task/\\d+)?/fd)$`);
  return own.test(folder) && /^\d{1,9}$/.test(name) ? Number(name) : null;
}

/**
 * In a folder where everybody may write, such as /tmp, somebody else's link could lead anywhere. Linux does not follow it
 * either, but it cannot know of links that are followed here.
 * @param {string} file
 * @param {string} folder
 * @param {import('node:fs').Stats} link
 */
function refuseForeignLink(file, folder, link) {
  const { mode, uid } = statSync(folder);
  const isShared = (mode & 0o1002) === 0o1002;
  if (isShared && link.uid !== process.geteuid?.() && link.uid !== uid) {
    throw refusal(file, 'it is a symbolic link of another user in a folder where everybody may write');
  }
}

/**
 * Finds out now whether writeWhole could write `file` later, and leaves nothing behind.
 * @param {string} file
 * @throws {FileError}
 */
export function checkWritable(file) {
  withDraft(file, replaceable(file), (draft, handle) => {
    closeSync(handle);
    rmSync(draft);
  });
}

/**
 * Writes the file whole or not at all. Symbolic links are followed; an existing file keeps its mode, and its owner and group where
 * the system allows it. Access lists and other extended attributes are not kept, as Node cannot read them.
 * @param {string} file
 * @param {string | Uint8Array} content
 * @returns {string[]} sentences about what could not stay as it was
 * @throws {FileError} what was there before is then still there
 */
export function writeWhole(file, content) {
  const target = replaceable(file);
  return withDraft(file, target, (draft, handle) => {
    /** @type {string[]} */
    let changes = [];
    try {
      writeFileSync(handle, content);
      if (target.found !== null) changes = keepOwnerAndMode(file, handle, target.found);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, target.path);
    syncFolder(dirname(target.path));
    return changes;
  });
}

/**
 * @param {string} file
 * @returns {Target}
 * @throws {FileError} where no file stands or one that may not be replaced
 */
function replaceable(file) {
  const target = targetOf(file);
  const { path, found } = target;
  if (target.descriptor !== null) throw refusal(file, 'it is an open stream of this process, not a file');
  if (found === null) return target;
  if (!found.isFile()) throw refusal(file, kindOf(found));
  if (isReadOnly(found)) throw refusal(file, 'it is read-only');
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new FileError(file, 'written', reasonOf(error), { cause: error });
  }
  if (isMountPoint(path)) throw refusal(file, 'it is a mount point, which nothing can replace');
  return target;
}

/**
 * Root may write everywhere, but a file that somebody has made read-only is meant to stay.
 * @param {import('node:fs').Stats} found
 */
function isReadOnly({ mode, uid }) {
  const isMine = process.geteuid === undefined || uid === process.geteuid();
  return (mode & (isMine ? 0o200 : 0o222)) === 0;
}

/**
 * A single file can be a mount point, as in containers. Where there is no list of them, the end says so.
 * @param {string} path
 */
function isMountPoint(path) {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4]?.replace(/\\([0-7]{3})/g, octalCharacter))
      .includes(path);
  } catch {
    return false;
  }
}

/** @param {string} escaped as in \\040 */
const octalCharacter = (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 8));

/** @param {string} file @param {string} reason */
const refusal = (file, reason) => new FileError(file, 'written', reason);

/**
 * Makes an empty draft beside the target. It is gone afterwards, or has taken the place of the target.
 * @template T
 * @param {string} file
 * @param {Target} target
 * @param {(draft: string, handle: number) => T} use closes the handle
 * @returns {T}
 * @throws {FileError}
 */
function withDraft(file, { path, found }, use) {
  const folder = dirname(path);
  removeAbandonedDrafts(folder);
  const draft = join(folder, draftName());
  try {
    // Until it has the mode of the file that it replaces, nobody else reads what may be private.
    const handle = openDraft(file, draft, found === null ? 0o666 : 0o600);
    try {
      return use(draft, handle);
    } finally {
      removeQuietly(draft);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(file, 'written', reasonOf(error), { cause: error });
  }
}

/**
 * @param {string} file
 * @param {string} draft
 * @param {number} mode
 */
function openDraft(file, draft, mode) {
  try {
    return openSync(draft, 'wx', mode);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    const reason = 'its folder permits no new file, and without one it cannot be written whole or not at all';
    throw new FileError(file, 'written', reason, { cause: error });
  }
}

const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
const DRAFT = new RegExp(`^\\.gradscope-${HOST}-(\\d+)-[0-9a-f]{8}\\.part$`);

/** Short whatever the file is called, as a name may have 255 bytes; and it says who writes. */
const draftName = () => `.gradscope-${HOST}-${process.pid}-${randomBytes(4).toString('hex')}.part`;

/**
 * A process that was killed leaves its draft behind. It is taken away here when that process of this machine is gone.
 * @param {string} folder
 */
function removeAbandonedDrafts(folder) {
  /** @type {string[]} */
  let names;
  try {
    names = readdirSync(folder);
  } catch {
    // A folder that may be written and not be read.
    return;
  }
  for (const name of names) {
    const pid = DRAFT.exec(name)?.[1];
    if (pid !== undefined && isGone(Number(pid))) removeQuietly(join(folder, name));
  }
}

/** @param {number} pid */
function isGone(pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

/** @param {string} path */
function removeQuietly(path) {
  try {
    rmSync(path, { force: true });
  } catch {
    // What cannot be removed stays for whoever can; the failure that led here is the one to tell.
  }
}

/**
 * Gives the draft the owner, group and mode of the file that it replaces, as far as the system allows it.
 * @param {string} file
 * @param {number} draft
 * @param {import('node:fs').Stats} found
 * @returns {string[]} what did not stay
 */
function keepOwnerAndMode(file, draft, found) {
  const changes = [];
  const own = fstatSync(draft);
  const keepsBoth = own.uid === found.uid && own.gid === found.gid;
  if (!keepsBoth && !changeOwner(draft, found.uid, found.gid)) changeOwner(draft, own.uid, found.gid);
  const { uid, gid } = fstatSync(draft);
  let mode = found.mode & 0o7777;
  if (uid !== found.uid) {
    // Its program would run in the name of another user.
    mode &= ~0o4000;
    changes.push(`${file} had the owner ${found.uid} and has ${uid} now, as only root may keep it.`);
  }
  if (gid !== found.gid) {
    // What the old group was allowed, the new one is not: it gets what everybody gets.
    mode = (mode & ~0o2070) | ((mode & 0o007) << 3);
    changes.push(`${file} had the group ${found.gid} and has ${gid} now, as only its members may keep it.`);
  }
  fchmodSync(draft, mode);
  if (found.nlink > 1) {
    changes.push(`${file} had ${found.nlink} names (hard links); the other ones keep what was there.`);
  }
  return changes;
}

/**
 * @param {number} handle
 * @param {number} uid
 * @param {number} gid
 */
function changeOwner(handle, uid, gid) {
  try {
    fchownSync(handle, uid, gid);
    return true;
  } catch (error) {
    const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
    // EINVAL: a user that this container does not know. The others: file systems without owners.
    if (['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP'].includes(code)) return false;
    throw error;
  }
}

/**
 * So that the new name outlives a power failure too. Not every system can open a folder, and the file is whole either way.
 * @param {string} folder
 */
function syncFolder(folder) {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // See above.
  }
}
