import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { reasonOf } from './options';

/**
 * Finds out now whether `file` could be written later, and leaves nothing behind: hours of training must not end in a
 * refusal.
 * @throws GradscopeError `cannot-write`.
 */
export async function ensureWritable(file: string): Promise<void> {
  try {
    if (await isFolder(file)) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
    const probe = besides(file);
    await (await open(probe, 'wx')).close();
    await rm(probe);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/**
 * Writes the file whole or not at all: beside it first, then renamed over it.
 * @throws GradscopeError `cannot-write`; what was there before is then still there.
 */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const draft = besides(file);
  try {
    const handle = await open(draft, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw cannotWrite(file, error);
  }
}

/** A name in the same folder, so that a rename moves no bytes. */
const besides = (file: string): string => join(dirname(file), `.${basename(file)}.${randomUUID()}.part`);

const isFolder = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );

const cannotWrite = (file: string, error: unknown): GradscopeError =>
  new GradscopeError('cannot-write', `${file} cannot be written: ${reasonOf(error)}.`, { cause: error });
