import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { isAbsolute, join, parse, sep } from 'node:path';

/**
 * Whether code on the disk can only have been put there by this user or by root. It is asked by the trainer before it loads an
 * engine's native library, and by the scripts that set one up, which are plain JavaScript: so this is, too.
 *
 * On Windows every answer is yes: the folders asked about lie in the user's profile, which Windows keeps from others, and Node cannot
 * read its access lists.
 */

const ISVTX = 0o1000;
const OTHERS_WRITE = 0o022;
const MOST_LINKS = 40;

/**
 * Looks at the path as the system does when it opens it: each folder from the root down, and each symbolic link on the way. A folder
 * that everybody may write in will do on the way when only the owner of an entry may replace it there (sticky, as /tmp is).
 * @param {string} path absolute
 * @returns {string | null} null: trusted; else what is wrong and what to do, without a full stop
 */
export function whyUntrusted(path, trusted = trustedOwners()) {
  return trusted === null ? null : reasonOf(() => follow(path, trusted));
}

/**
 * The same of a folder and everything in it.
 * @param {string} folder absolute
 */
export function whyTreeUntrusted(folder, trusted = trustedOwners()) {
  return trusted === null
    ? null
    : reasonOf(() => {
        // Grows while it is gone through; a set, since links may lead in circles.
        const folders = new Set([follow(folder, trusted)]);
        for (const at of folders) {
          for (const name of readdirSync(at)) {
            const path = join(at, name);
            const real = checked(path, trusted).isSymbolicLink() ? follow(path, trusted) : path;
            if (lstatSync(real).isDirectory()) folders.add(real);
          }
        }
      });
}

/** Users whose files are as good as this program's own. Null: the system has no such numbers. */
function trustedOwners() {
  const user = process.geteuid?.();
  return user === undefined ? null : new Set([0, user]);
}

class Untrusted extends Error {}

/** @param {() => unknown} look */
function reasonOf(look) {
  try {
    look();
    return null;
  } catch (error) {
    if (error instanceof Untrusted) return error.message;
    // What cannot be looked at: a file that is gone, a folder that is closed.
    if (error instanceof Error && 'syscall' in error) return error.message;
    throw error;
  }
}

/**
 * @param {string} path
 * @param {ReadonlySet<number>} trusted
 * @returns {string} the path without symbolic links
 */
function follow(path, trusted) {
  const { root } = parse(path);
  let at = root;
  let links = 0;
  const left = partsOf(path);
  checked(at, trusted, left.length > 0);
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    const next = part === '..' ? parse(at).dir : join(at, part);
    const found = checked(next, trusted, left.length > 0);
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS)
      throw new Untrusted(`${path} goes through more than ${MOST_LINKS} symbolic links`);
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = root;
    left.unshift(...partsOf(target));
  }
  return at;
}

/** @param {string} path */
const partsOf = (path) =>
  path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((part) => part !== '' && part !== '.');

/**
 * @param {string} path not followed if it is a link
 * @param {ReadonlySet<number>} trusted
 * @param {boolean} onTheWay more of the path comes after it, whose owner is looked at as well
 */
function checked(path, trusted, onTheWay = false) {
  const found = lstatSync(path);
  const what = `${path} (owner ${found.uid}, mode ${(found.mode & 0o7777).toString(8).padStart(4, '0')})`;
  if (!trusted.has(found.uid)) {
    const who = process.geteuid?.() === 0 ? 'root' : 'you or root';
    throw new Untrusted(
      `${what} should belong to ${who}, as its owner could put any code there; remove it or give it to ${who} with chown`,
    );
  }
  // A link's own mode means nothing.
  if (found.isSymbolicLink() || (found.mode & OTHERS_WRITE) === 0) return found;
  if (found.isDirectory() && (found.mode & ISVTX) !== 0 && onTheWay) return found;
  throw new Untrusted(
    `${what} should be writable for its owner only, as others could put any code there; if nobody did, chmod go-w ${path} mends it`,
  );
}
