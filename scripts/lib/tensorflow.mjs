import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { whyTreeUntrusted } from '../../src-node/trusted-path.mjs';
import { writeWhole } from '../../src-node/write-file.mjs';
import { cacheFolder } from './cache.mjs';
import { alone } from './lock.mjs';
import { inProject, Refusal, say } from './project.mjs';
import { readJsonIfThere, readText } from './read-text.mjs';
import { ADDON, compileAddon, downloadAddon, requireCompiler, tryAddon } from './tensorflow-addon.mjs';
import { fetchWheel, fillFolder, findPython, requirementsOf, unpackWheel } from './wheels.mjs';

/**
 * Sets up the engines on TensorFlow's own library, in a cache outside the repository. What is unfinished lies under another name or
 * has no ready.json beside it, so a set-up that was broken off goes on with what is whole.
 */

/** @typedef {'tensorflow' | 'tensorflow-gpu'} EngineName */
/** @typedef {import('./wheels.mjs').Manner} Manner */

/** @type {readonly EngineName[]} */
export const NATIVE_ENGINES = ['tensorflow', 'tensorflow-gpu'];

const LOCK = 'engine';
const VERSION = '2.21.0';
/** Of the wheel: the library, and what the addon's sources include. */
const WANTED = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/THIRD_PARTY_NOTICES.txt',
  'tensorflow/include/LICENSE',
  ...['tensorflow/c', 'tensorflow/core/platform', 'tsl/platform', 'xla/tsl/c'].map(
    (folder) => `tensorflow/include/${folder}/`,
  ),
];

/** NVIDIA's wheels are made for one or another of these. */
const OLDER_LINUX = ['_2_27', '_2_24', '_2_18', '_2_17', '2014', '_2_12', '2010', '_2_5', '1'].map(
  (version) => `manylinux${version}_x86_64`,
);

/**
 * @typedef {import('./wheels.mjs').Wheel & {
 *   fetchedMB: number, unpackedMB: number, measured: boolean, extra?: string
 * }} Library
 */

/** Where the library comes out of a wheel. `measured`: it was set up so, and its sizes and checksum are those found.
 * @type {Readonly<Record<string, Readonly<Record<EngineName, Library>>>>} */
const LIBRARIES = {
  'linux-x64': {
    tensorflow: {
      requirement: `tensorflow-cpu==${VERSION}`,
      platforms: ['manylinux_2_27_x86_64'],
      python: '311',
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
      fetchedMB: 274,
      unpackedMB: 855,
      measured: true,
    },
    'tensorflow-gpu': {
      requirement: `tensorflow==${VERSION}`,
      platforms: OLDER_LINUX,
      python: '311',
      extra: 'and-cuda',
      fetchedMB: 3500,
      unpackedMB: 8000,
      measured: false,
    },
  },
};

/** @param {EngineName} name */
export const engineFolder = (name) => join(cacheFolder(), 'tensorflow', name);

/**
 * @param {EngineName} name
 * @param {Manner} manner
 * @throws {Refusal} one sentence; whatever else is set up still works
 */
export async function setUpTensorFlow(name, manner) {
  const folder = engineFolder(name);
  await orRefuse(`The engine ${name} cannot be set up`, async () => {
    // What is made here is loaded later, and the trainer loads nothing that others can write.
    const before = process.umask(0o077);
    try {
      mkdirSync(folder, { recursive: true });
      const untrusted = whyTreeUntrusted(folder);
      if (untrusted !== null) throw new Refusal(`The engine ${name} cannot be set up: ${untrusted}.`);
      await alone(LOCK, () => setUpAlone(name, folder, manner), folder, manner.timeoutMs);
    } finally {
      process.umask(before);
    }
  });
}

/**
 * What is copied keeps its mode, whatever the umask: in a clone that a group shares, its members may write.
 * @param {string} folder
 */
function keepFromOthers(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const found = lstatSync(path);
    if (!found.isSymbolicLink()) chmodSync(path, found.mode & ~0o022);
  }
}

/**
 * What the file system refuses (no permission, no space) is one sentence too.
 * @param {string} failed
 * @param {() => Promise<void>} work
 */
async function orRefuse(failed, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new Refusal(`${failed}: ${error.message}.`);
  }
}

/**
 * @param {EngineName} name
 * @param {string} folder
 * @param {Manner} manner
 */
async function setUpAlone(name, folder, manner) {
  const packageVersion = versionOfPackage();
  const ready = join(folder, 'ready.json');
  if (isReady(ready, packageVersion)) {
    say(`The engine ${name} is set up in ${folder}.`);
    return;
  }
  const library = LIBRARIES[`${process.platform}-${process.arch}`]?.[name];
  if (manner.onlyTried === true && library?.measured !== true) {
    throw new Refusal(
      `Nobody has tried it on ${process.platform} ${process.arch}; npm run engine -- ${name} does.`,
    );
  }
  rmSync(ready, { force: true, recursive: true });

  const addonFolder = join(folder, `addon-${packageVersion}`);
  if (library === undefined) await downloadOwn(name, addonFolder, manner);
  else await buildOnWheel(name, library, folder, addonFolder, manner);

  keepFromOthers(addonFolder);
  const version = await tryAddon(join(addonFolder, ADDON), manner);
  const content = { package: packageVersion, addon: `addon-${packageVersion}/${ADDON}`, tensorflow: version };
  writeWhole(ready, JSON.stringify(content));
  rmSync(join(folder, 'download'), { recursive: true, force: true });
  say(`The engine ${name} is set up: TensorFlow ${version} in ${folder}.`);
}

/**
 * @param {EngineName} name
 * @param {Library} library
 * @param {string} folder
 * @param {string} addonFolder
 * @param {Manner} manner
 */
async function buildOnWheel(name, library, folder, addonFolder, manner) {
  const to = join(folder, `library-${VERSION}`);
  const downloads = downloadsIn(folder);
  if (!existsSync(to)) {
    const { fetchedMB, unpackedMB, measured } = library;
    say(
      `The engine ${name} needs TensorFlow's library: ${measured ? '' : 'about '}${fetchedMB} MB are fetched ` +
        `(${library.requirement}${library.extra === undefined ? '' : ' and its CUDA libraries'}, by pip), ` +
        `${measured ? '' : 'about '}${unpackedMB} MB are kept in ${folder}.`,
    );
    if (!measured) say('This way was not tried where it was written: there was no GPU.');
    requireSpace(folder, Math.max(0, fetchedMB - megabytesIn(downloads)) + unpackedMB);
    const python = await findPython(manner);
    await requireCompiler(manner);
    const wheel = await fetchWheel(python, library, join(downloads, 'tensorflow'), manner);
    say('Unpacking ...');
    await fillFolder(to, async (part) => {
      await unpackWheel(python, wheel, part, WANTED, manner);
      if (library.extra !== undefined) await addCuda(python, wheel, library, folder, part, manner);
    });
  }
  say('Compiling the addon (about half a minute) ...');
  await compileAddon(addonFolder, join(to, 'tensorflow'), manner);
}

/**
 * The CUDA libraries that the wheel asks for, laid beside it as pip would: there TensorFlow looks for them.
 * @param {string} python
 * @param {string} wheel
 * @param {Library} library
 * @param {string} folder
 * @param {string} to
 * @param {Manner} manner
 */
async function addCuda(python, wheel, library, folder, to, manner) {
  for (const requirement of await requirementsOf(python, wheel, library.extra ?? '', manner)) {
    const [name = ''] = /^[\w-]+/.exec(requirement) ?? [];
    const file = await fetchWheel(
      python,
      { requirement, platforms: library.platforms, python: library.python },
      join(downloadsIn(folder), name),
      manner,
    );
    await unpackWheel(python, file, to, [], manner);
  }
}

/**
 * @param {EngineName} name
 * @param {string} addonFolder
 * @param {Manner} manner
 */
async function downloadOwn(name, addonFolder, manner) {
  if (name === 'tensorflow-gpu' && process.platform === 'darwin') {
    throw new Refusal(
      'The engine tensorflow-gpu cannot be set up: there is no TensorFlow for the GPUs of a Mac.',
    );
  }
  say(
    `The engine ${name} takes the library (2.9.1 or older, some hundred MB) and the addon that the install script of ` +
      '@tensorflow/tfjs-node-gpu fetches on this platform. This way was not tried where it was written.',
  );
  await downloadAddon(addonFolder, name === 'tensorflow-gpu' ? 'gpu' : 'cpu', manner);
}

/** Takes everything away that was set up, once no set-up is under way. @throws {Refusal} */
export async function removeTensorFlow() {
  const folder = join(cacheFolder(), 'tensorflow');
  await orRefuse('The engines cannot be removed', async () => {
    if (!existsSync(folder)) {
      say('No engine was set up.');
      return;
    }
    for (const name of NATIVE_ENGINES)
      await alone(LOCK, () => removeAllBut(`${LOCK}.lock`, engineFolder(name)), engineFolder(name));
    for (const name of NATIVE_ENGINES) removeEmpty(engineFolder(name));
    removeEmpty(folder);
    say(
      existsSync(folder)
        ? `The engines are removed; ${folder} holds something else.`
        : `${folder} is removed.`,
    );
  });
}

/** @param {string} kept @param {string} folder */
async function removeAllBut(kept, folder) {
  for (const name of readdirSync(folder)) {
    if (name !== kept) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** @param {string} folder */
function removeEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch (error) {
    // A set-up has begun anew in it meanwhile, or somebody else has removed it.
    if (!['ENOTEMPTY', 'ENOENT'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? ''))
      throw error;
  }
}

/** @param {string} file @param {string} packageVersion */
function isReady(file, packageVersion) {
  const content = /** @type {{ package?: unknown, addon?: unknown } | null} */ (readJsonIfThere(file));
  const addon = content?.addon;
  return (
    content?.package === packageVersion && typeof addon === 'string' && existsSync(join(file, '..', addon))
  );
}

function versionOfPackage() {
  /** @type {unknown} */
  const content = JSON.parse(readText(inProject('node_modules/@tensorflow/tfjs-node-gpu/package.json')));
  return /** @type {{ version: string }} */ (content).version;
}

/** Of this version: what is left of another is no part of it. @param {string} folder */
const downloadsIn = (folder) => join(folder, 'download', VERSION);

/** What an earlier set-up has fetched already. @param {string} folder */
function megabytesIn(folder) {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0) / 1e6;
}

/** @param {string} folder @param {number} megabytes */
function requireSpace(folder, megabytes) {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1e6);
  if (free < megabytes) {
    throw new Refusal(
      `${folder} should have ${Math.ceil(megabytes)} MB of space for it, but has ${free} MB.`,
    );
  }
}
