import { fileURLToPath } from 'node:url';
import { endWithParent } from './parent.mjs';

/** Folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @param {string} path relative to the repository */
export const inProject = (path) => fileURLToPath(new URL(path, new URL('../../', import.meta.url)));

/**
 * What the scripts themselves have to say goes to stderr: stdout belongs to the program that they start.
 * @param {string} sentence
 */
export const say = (sentence) => {
  process.stderr.write(`${sentence}\n`);
};

/**
 * Something from outside, as a sentence quotes it: control characters escaped, at most a line of it.
 * @param {string} text
 */
export const quoted = (text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** An end that one sentence explains: bad input, or something that this machine does not have. */
export class Refusal extends Error {
  /**
   * @param {string} sentence
   * @param {number} exitCode 2: what was asked for is wrong; 1: it cannot be done here
   */
  constructor(sentence, exitCode = 1) {
    super(sentence);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/**
 * Runs a script's main function; a Refusal becomes its sentence and its exit code.
 * @param {() => Promise<number>} main returns the exit code
 */
export async function runScript(main) {
  try {
    requireNode();
    endWithParent();
    process.exitCode = await main();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    say(refusal.message);
    process.exitCode = refusal.exitCode;
  }
}

/**
 * Benchmarks and campaigns are loaded by Vite, which gives them classes of their own: those are known by name only.
 * @param {unknown} error
 * @returns {{ message: string, exitCode: number } | null}
 */
function refusalOf(error) {
  if (!(error instanceof Error)) return null;
  // Of Node's parseArgs, whose second sentence is of arguments that begin with a dash.
  const { code } = /** @type {{ code?: unknown }} */ (error);
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_'))
    return { message: `${(error.message.split(/\. |\n/)[0] ?? '').replace(/\.$/, '')}.`, exitCode: 2 };
  if (error.name === 'FileError') return { message: error.message, exitCode: 2 };
  if (error.name === 'Refusal') {
    const { message, exitCode } = /** @type {Error & { exitCode: number }} */ (error);
    return { message, exitCode };
  }
  return systemRefusal(error);
}

/** @type {Record<string, string>} */
const SYSTEM_REASONS = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become larger than this process may write (ulimit -f)',
  EMFILE: 'this process may not open more files (ulimit -n)',
  ENFILE: 'the system may not open more files',
  EAGAIN: 'this user may not start more processes (ulimit -u)',
  ENOMEM: 'there is not enough memory',
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
};

/**
 * The end of a path tells more than its beginning.
 * @param {string} path
 */
const shownPath = (path) =>
  JSON.stringify(path.length > 200 ? `...${path.slice(-197)}` : path)
    .slice(1, -1)
    .replaceAll('\\\\', '\\');

/** @type {Record<string, string>} */
const VERBS = {
  mkdir: 'create the folder',
  scandir: 'read the folder',
  open: 'open',
  read: 'read',
  write: 'write to',
  unlink: 'remove',
  rmdir: 'remove',
  rm: 'remove',
  rename: 'rename',
};

/**
 * What the system refuses, in one sentence that names the file or program.
 * @param {unknown} error
 * @returns {Refusal | null} null: the error is a fault of ours
 */
export function systemRefusal(error) {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  const { code, syscall, path } = /** @type {NodeJS.ErrnoException} */ (error);
  const reason = SYSTEM_REASONS[code ?? ''];
  if (reason === undefined) return null;
  const verb = syscall?.startsWith('spawn') === true ? 'start' : (VERBS[syscall ?? ''] ?? 'use');
  return new Refusal(
    `Gradscope cannot ${verb} ${path === undefined ? 'a file' : shownPath(path)}: ${reason} (${code ?? ''}).`,
  );
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Refusal(`Gradscope needs Node 20.19 or newer; this is Node ${process.versions.node}.`);
  }
}

/**
 * The bundler takes file names for addresses, in which these characters end the path.
 * @param {string} folder
 * @throws {Refusal} when nothing can be built there
 */
export function requireBuildablePath(folder) {
  const found = ['#', '?'].find((character) => folder.includes(character));
  if (found !== undefined)
    throw new Refusal(
      `Gradscope cannot be built in ${shownPath(folder)}: the path contains ${found}. Move it to a folder without # and ? in its path.`,
    );
}
