import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorLine, run } from './processes.mjs';
import { inProject, Refusal, say } from './project.mjs';

/** Python packages as files, from wherever this machine's pip gets its packages; nothing is installed. */

/**
 * @typedef {object} Wheel
 * @property {string} requirement as pip takes it, e.g. "tensorflow-cpu==2.21.0"
 * @property {readonly string[]} platforms pip's names of those that are as good
 * @property {string} python version without a dot; the libraries in a wheel are the same for all
 * @property {string} [sha256] where it is known; pip holds what it fetches to what its index says in any case
 */

/**
 * @typedef {object} Manner
 * @property {boolean} quiet shows nothing of what the programs say
 * @property {number} [timeoutMs] for each program, and for waiting until another process has done the same
 * @property {boolean} [onlyTried] not where nobody has tried whether it works
 */

/** @param {Manner} manner */
export async function findPython(manner) {
  for (const python of ['python3', 'python']) {
    const ended = await run(python, ['-m', 'pip', '--version'], { ...manner, capture: true }).catch(
      () => null,
    );
    if (ended?.code === 0) return python;
  }
  throw new Refusal(
    'The library is fetched by pip, but no Python with pip was found: install python3 and pip first.',
  );
}

/**
 * Path of the wheel in `folder`. One that is there already is not fetched again.
 * @param {string} python
 * @param {Wheel} wheel
 * @param {string} folder
 * @param {Manner} manner
 * @throws {Refusal} when it cannot be had, or is not what it should be
 */
export async function fetchWheel(python, wheel, folder, manner) {
  if (existsSync(folder)) {
    say(`${wheel.requirement} was fetched before.`);
  } else {
    mkdirSync(`${folder}.part`, { recursive: true });
    await download(python, wheel, `${folder}.part`, manner);
    if (wheelIn(`${folder}.part`) === undefined)
      throw new Refusal(`pip fetched ${wheel.requirement}, but as no wheel.`);
    renameSync(`${folder}.part`, folder);
  }
  const file = wheelIn(folder);
  if (file === undefined) throw new Refusal(`${folder} should hold a wheel, but holds none; remove it.`);
  if (wheel.sha256 !== undefined) await verify(file, wheel.sha256);
  return file;
}

/** @param {string} folder */
function wheelIn(folder) {
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
  return name === undefined ? undefined : join(folder, name);
}

/** What fetch_wheel.py ends with when this machine's pip cannot be asked where a wheel lies. */
const CANNOT_ASK = 3;

/**
 * Fetches a wheel into `folder` and nothing that it depends on. What an earlier call left there is gone on with.
 * @param {string} python
 * @param {Wheel} wheel
 * @param {string} folder
 * @param {Manner} manner
 */
async function download(python, { requirement, platforms, python: version }, folder, manner) {
  const options = [
    ...['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check'],
    ...['--python-version', version],
    ...platforms.flatMap((platform) => ['--platform', platform]),
    ...['--no-input', '--retries', '1', '--timeout', '30'],
  ];
  const failed = `${requirement} could not be fetched`;
  const script = inProject('scripts/lib/fetch_wheel.py');
  const ended = await must(python, [script, folder, requirement, ...options], manner, {
    failed,
    orEndsWith: CANNOT_ASK,
  });
  if (ended.code === 0) return;
  say(
    'pip cannot be asked where this wheel lies and fetches it itself; broken off, that begins from the start again.',
  );
  await must(python, ['-m', 'pip', 'download', ...options, '--dest', folder, requirement], manner, {
    failed,
  });
}

/**
 * Removes the file with its folder if it is not what it should be, so that it is fetched again.
 * @param {string} file
 * @param {string} expected
 */
export async function verify(file, expected) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found === expected) return;
  rmSync(dirname(file), { recursive: true });
  throw new Refusal(`${file} should have the SHA-256 ${expected}, but has ${found}; it was removed.`);
}

/**
 * A folder that is there whole or not at all: it has another name while it is filled, and what failed leaves nothing.
 * @param {string} folder
 * @param {(part: string) => Promise<void>} fill
 */
export async function fillFolder(folder, fill) {
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  try {
    await fill(part);
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {string} python
 * @param {string} wheel
 * @param {string} folder
 * @param {readonly string[]} prefixes of the members that are wanted; none: all
 * @param {Manner} manner
 */
export async function unpackWheel(python, wheel, folder, prefixes, manner) {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  await must(python, [inProject('scripts/lib/unpack_wheel.py'), wheel, folder, ...prefixes], manner, {
    failed: `${wheel} could not be unpacked`,
  });
}

/**
 * What the wheel says that it requires for one of its extras.
 * @param {string} python
 * @param {string} wheel
 * @param {string} extra
 * @param {Manner} manner
 */
export async function requirementsOf(python, wheel, extra, manner) {
  const script = inProject('scripts/lib/unpack_wheel.py');
  const { output } = await must(
    python,
    [script, wheel, '--requires', extra],
    { ...manner, quiet: true },
    {
      failed: `${wheel} could not be read`,
    },
  );
  return output.split('\n').filter((line) => line !== '');
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Manner} manner
 * @param {{ failed: string, orEndsWith?: number }} words orEndsWith: an exit code that is no failure either
 */
async function must(command, args, { quiet, ...rest }, { failed, orEndsWith = 0 }) {
  const ended = await run(command, args, {
    ...rest,
    ...(quiet ? { capture: true } : { stdio: ['ignore', 2, 2] }),
  });
  if (ended.interrupted) throw new Refusal('Stopped.', 130);
  if (ended.timedOut) throw new Refusal(`${failed} in the time given.`);
  if (ended.code !== 0 && ended.code !== orEndsWith)
    throw new Refusal(`${failed}: ${quiet ? errorLine(ended.output) : 'what it said is above'}.`);
  return ended;
}
