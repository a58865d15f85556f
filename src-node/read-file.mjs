import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FileError, kindOf, reasonOf } from './file-error.mjs';

/** Windows has no files that wait for somebody else, and no O_NONBLOCK. */
const FLAGS = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;
const FIRST_READ = 64 * 1024;

/**
 * Reads a regular file. Anything else is refused without waiting: a pipe could stay silent for ever, a device never ends.
 * @param {string} file
 * @param {number} most bytes that it may have
 * @returns {Uint8Array<ArrayBuffer>} at the beginning of a buffer of its own
 * @throws {FileError}
 */
export function readRegularFile(file, most) {
  try {
    // Before it is opened, as opening a device can do something already; and again once it cannot be exchanged any more.
    refuseUnlessRegular(file, statSync(file));
    const handle = openSync(file, FLAGS);
    try {
      const found = fstatSync(handle);
      refuseUnlessRegular(file, found);
      return readAll(file, handle, found.size, most);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(file, 'read', reasonOf(error), { cause: error });
  }
}

/**
 * @param {string} file
 * @param {import('node:fs').Stats} found
 */
function refuseUnlessRegular(file, found) {
  if (!found.isFile())
    throw new FileError(file, 'read', `${kindOf(found)}, where a regular file is expected`);
}

/**
 * To the end of the file, which may have grown since, or have no size at all as those of /proc.
 * @param {string} file
 * @param {number} handle
 * @param {number} size
 * @param {number} most
 */
function readAll(file, handle, size, most) {
  if (size > most) throw tooLarge(file, size, most);
  // Not cleared first: start-up waits for the 47 MB of the training images. One more byte than there should be shows the end.
  let bytes = Buffer.allocUnsafeSlow(size > 0 ? size + 1 : FIRST_READ);
  let length = 0;
  for (;;) {
    const read = readSync(handle, bytes, length, bytes.length - length, null);
    if (read === 0) break;
    length += read;
    if (length > most) throw tooLarge(file, Math.max(length, fstatSync(handle).size), most);
    if (length < bytes.length) continue;
    const larger = Buffer.allocUnsafeSlow(bytes.length * 2);
    larger.set(bytes);
    bytes = larger;
  }
  return new Uint8Array(bytes.buffer, 0, length);
}

/**
 * @param {string} file
 * @param {number} size
 * @param {number} most
 */
const tooLarge = (file, size, most) =>
  new FileError(file, 'read', `it has ${size} bytes, where at most ${most} are allowed`);
