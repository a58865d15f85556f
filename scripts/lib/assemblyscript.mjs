import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../src-node/read-file.mjs';
import { writeWhole } from '../../src-node/write-file.mjs';
import { inProject, ROOT } from './project.mjs';

const FOLDER = 'src-worker/engine/simd';
const ENTRY = `${FOLDER}/assembly/index.ts`;
const FILLED_IN = `/${FOLDER}/binaries.ts`;
const CACHE = '.cache/simd';

/** The memory is handed to the kernels; a build with relaxed SIMD loads only where that is known, so there are two. */
const COMMON = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '32768'],
];
const BUILDS = {
  plain: [...COMMON, '--enable', 'threads,simd,bulk-memory'],
  relaxed: [...COMMON, '--enable', 'threads,simd,bulk-memory,relaxed-simd'],
};

/**
 * The compiler's own types bring in those of AssemblyScript's library, where Array.at() never gives undefined, and
 * everything that is checked together with this file would believe it. So it is loaded by a name that tsc does not follow.
 * @typedef {object} Files
 * @property {(name: string, baseDir: string) => string | null} readFile
 * @property {(name: string, contents: string | Uint8Array) => void} writeFile
 * @property {() => string[]} listFiles
 * @property {{ write(chunk: unknown): void }} stderr
 *
 * @typedef {object} Compiler
 * @property {(options: string[], files: Files) => Promise<{ error: Error | null }>} main
 */
const COMPILER = 'assemblyscript/asc';

/**
 * Compiles the kernels of the engine `simd` and puts them into its module binaries.ts: for the build and for the unit tests
 * alike. What was compiled from the same sources by the same compiler is kept in .cache.
 * @returns {import('vite').Plugin}
 */
export function simdKernels() {
  return {
    name: 'gradscope:simd-kernels',
    enforce: 'pre',
    async load(id) {
      if (!id.replaceAll('\\', '/').endsWith(FILLED_IN)) return null;
      const sources = assemblySources();
      for (const source of sources) this.addWatchFile(inProject(source));
      const plain = await binary('plain', sources);
      const relaxed = await binary('relaxed', sources);
      return `export const KERNEL_BINARIES = ${JSON.stringify({ plain, relaxed })};`;
    },
  };
}

/** @returns {string[]} */
function assemblySources() {
  const folder = `${FOLDER}/assembly`;
  const files = readdirSync(inProject(folder)).filter((name) => name.endsWith('.ts'));
  return [`${FOLDER}/fields.ts`, ...files.sort().map((name) => `${folder}/${name}`)];
}

/**
 * @param {keyof typeof BUILDS} build
 * @param {string[]} sources
 * @returns {Promise<string>} base64
 */
async function binary(build, sources) {
  const hash = createHash('sha256').update(JSON.stringify(BUILDS[build]));
  for (const path of ['node_modules/assemblyscript/package.json', ...sources]) {
    hash
      .update(`${path}\0`)
      .update(readRegularFile(inProject(path), Infinity))
      .update('\0');
  }
  const kept = inProject(join(CACHE, `${build}-${hash.digest('hex').slice(0, 32)}.wasm`));
  if (!existsSync(kept)) {
    mkdirSync(inProject(CACHE), { recursive: true });
    // Two processes may compile at once.
    writeWhole(kept, await compile(BUILDS[build]));
  }
  return Buffer.from(readRegularFile(kept, Infinity)).toString('base64');
}

/**
 * @param {string[]} options
 * @returns {Promise<Uint8Array>}
 */
async function compile(options) {
  /** @type {unknown} */
  const loaded = await import(/* @vite-ignore */ COMPILER);
  const { default: asc } = /** @type {{ default: Compiler }} */ (loaded);
  /** @type {Uint8Array[]} */
  const written = [];
  /** @type {string[]} */
  const said = [];
  const { error } = await asc.main([ENTRY, '--baseDir', ROOT, '--outFile', 'kernels.wasm', ...options], {
    readFile(name, baseDir) {
      const path = join(baseDir, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile(_name, contents) {
      if (typeof contents !== 'string') written.push(contents);
    },
    listFiles: () => [],
    stderr: { write: (chunk) => said.push(String(chunk)) },
  });
  const [output] = written;
  if (error !== null || output === undefined || said.length > 0) {
    throw new Error(
      `The kernels of the engine simd do not compile:\n${said.join('')}${error?.message ?? ''}`,
    );
  }
  return output;
}
