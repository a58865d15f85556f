import { shownFile } from './file-name';

/** What the operating system's error codes mean, for people. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become larger than this process may write',
  EMFILE: 'this process may not open more files (ulimit -n)',
  ENFILE: 'the system may not open more files',
  EAGAIN: 'the system has no process or thread left for this user (ulimit -u)',
  ENOMEM: 'there is not enough memory',
  EIO: 'the device failed',
};

const NO_MEMORY =
  /could not allocate memory|array buffer allocation failed|ERR_WORKER_OUT_OF_MEMORY|out of memory/i;

/**
 * One sentence for an error that the machine, not Gradscope, is to blame for: no memory, no room, no permission.
 * @returns undefined for any other error
 */
export function describeSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
  if (NO_MEMORY.test(error.message) || code === 'ERR_WORKER_OUT_OF_MEMORY')
    return 'There is not enough memory.';
  const reason = typeof code === 'string' ? REASONS[code] : undefined;
  if (reason === undefined) return undefined;
  const where = typeof path === 'string' ? `${shownFile(path)}: ` : '';
  return `The system refused: ${where}${reason} (${String(code)}).`;
}
