/** A file that cannot be read or written. */
export class FileError extends Error {
  /**
   * @param {string} file as the user named it
   * @param {'read' | 'written'} what
   * @param {string} reason a clause that ends the sentence
   * @param {ErrorOptions} [options]
   */
  constructor(file, what, reason, options) {
    super(`${file} cannot be ${what}: ${reason}.`, options);
    this.name = 'FileError';
    /** The clause alone, for a sentence of the caller's. */
    this.reason = reason;
  }
}

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  EACCES: 'it is not permitted',
  EBUSY: 'it is in use',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than a file may be here',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links go in a circle',
  EMFILE: 'this process may open no more files',
  ENAMETOOLONG: 'its name or its path is too long',
  ENFILE: 'this machine may open no more files',
  ENODEV: 'its device is not there',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'there is no space left on the disk',
  ENOTDIR: 'a part of its path is not a folder',
  ENXIO: 'its device is not there',
  EPERM: 'it is not permitted',
  EPIPE: 'whoever read it has gone',
  EROFS: 'the file system is read-only',
  ERR_INVALID_ARG_VALUE: 'its path is not valid',
};

/**
 * What the system says of a file, as a clause.
 * @param {unknown} error
 * @returns {string}
 */
export function reasonOf(error) {
  if (error instanceof FileError) return error.reason;
  if (!(error instanceof Error)) return String(error);
  const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
  return REASONS[code] ?? error.message.replace(/[.\s]+$/, '');
}

/**
 * What something at a path is, where it is no regular file.
 * @param {import('node:fs').Stats} found
 * @returns {string} a clause
 */
export function kindOf(found) {
  if (found.isDirectory()) return 'it is a folder';
  if (found.isFIFO()) return 'it is a pipe';
  if (found.isSocket()) return 'it is a socket';
  if (found.isBlockDevice() || found.isCharacterDevice()) return 'it is a device';
  return 'it is no regular file';
}
