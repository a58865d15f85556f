import { readRegularFile } from '../../src-node/read-file.mjs';

/** More than any file has that is read here. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * A regular file as text: what else may stand at the path, as a pipe, would be waited for.
 * @param {string} path
 * @returns {string}
 * @throws {import('../../src-node/file-error.mjs').FileError}
 */
export const readText = (path) => new TextDecoder().decode(readRegularFile(path, MOST_BYTES));

/**
 * @param {string} path
 * @returns {string | null} null: there is no such file, or it cannot be read
 */
export function readTextIfThere(path) {
  try {
    return readText(path);
  } catch {
    return null;
  }
}

/**
 * @param {string} path
 * @returns {unknown} null: there is no such file, or it has no JSON
 */
export function readJsonIfThere(path) {
  try {
    return JSON.parse(readText(path));
  } catch {
    return null;
  }
}
