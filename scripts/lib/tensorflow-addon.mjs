import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { run, runNode } from './processes.mjs';
import { inProject, Refusal } from './project.mjs';

/**
 * The native addon of @tensorflow/tfjs-node-gpu, unmodified, in a folder of its own: npm's installs do not touch it. It speaks Node's
 * stable interface (Node-API 8), so one serves every Node and Electron.
 */

const PACKAGE = inProject('node_modules/@tensorflow/tfjs-node-gpu');
export const ADDON = 'lib/napi-v8/tfjs_binding.node';

/** @typedef {import('./wheels.mjs').Manner} Manner */

/**
 * Looks for what compiles the addon, which is sooner done than fetching what it is compiled against.
 * @param {Manner} manner
 * @throws {Refusal} what is missing
 */
export async function requireCompiler(manner) {
  // The names that node-gyp goes by.
  const { MAKE: make = 'make', CXX: compiler = 'g++', CXX_target: target = compiler } = process.env;
  for (const tool of [make, target]) {
    const [program = '', ...args] = tool.split(' ');
    const ended = await run(program, [...args, '--version'], { ...manner, capture: true }).catch(() => null);
    if (ended?.interrupted) throw new Refusal('Stopped.', 130);
    if (ended?.code !== 0) {
      throw new Refusal(`The addon is compiled here, but ${tool} does not run: install make and g++ first.`);
    }
  }
  await findNodeGyp(manner);
}

/**
 * Compiles it in `folder` against the library in `library`.
 * @param {string} folder
 * @param {string} library holds libtensorflow_cc.so.2, libtensorflow_framework.so.2 and include/
 * @param {Manner} manner
 */
export async function compileAddon(folder, library, manner) {
  const nodeGyp = await findNodeGyp(manner);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'deps/lib'), { recursive: true });
  for (const part of ['binding', 'binding.gyp'])
    cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  symlinkSync(join(library, 'include'), join(folder, 'deps/include'));
  // The names that the linker is given; the addon then asks for those that the libraries have themselves.
  symlinkSync(join(library, 'libtensorflow_cc.so.2'), join(folder, 'deps/lib/libtensorflow.so'));
  symlinkSync(
    join(library, 'libtensorflow_framework.so.2'),
    join(folder, 'deps/lib/libtensorflow_framework.so'),
  );

  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  // From the addon to the library. Twice a dollar: once make's, once the shell's.
  const path = relative(dirname(join(folder, ADDON)), library);
  const ended = await runNode(
    [
      ...[nodeGyp, 'rebuild', '-C', folder, ...headers],
      ...[
        `--napi_version=${process.versions['napi'] ?? '8'}`,
        '--napi_build_version=8',
        '--module_name=tfjs_binding',
      ],
      ...[`--module_path=${dirname(join(folder, ADDON))}`, `--module=${join(folder, ADDON)}`],
    ],
    {
      capture: true,
      env: { ...process.env, LDFLAGS: `${process.env['LDFLAGS'] ?? ''} -Wl,-rpath,'$$ORIGIN/${path}'` },
      timeoutMs: manner.timeoutMs,
    },
  );
  if (ended.interrupted) throw new Refusal('Stopped.', 130);
  if (ended.timedOut) throw new Refusal('The addon could not be compiled in the time given.');
  if (ended.code !== 0 || !existsSync(join(folder, ADDON))) {
    const log = join(folder, 'build.log');
    writeFileSync(log, ended.output);
    const said =
      ended.output.split('\n').find((line) => /error:|ERR! (stack|find)|not found/i.test(line)) ?? '';
    throw new Refusal(`The addon could not be compiled (${said.trim()}); ${log} has all of it.`);
  }
  rmSync(join(folder, 'build'), { recursive: true, force: true });
}

/** npm brings node-gyp. @param {Manner} manner */
async function findNodeGyp(manner) {
  const found = candidates(await globalFolder(manner)).find((path) => existsSync(path));
  if (found === undefined)
    throw new Refusal("npm's node-gyp, which compiles the addon, was not found beside npm.");
  return found;
}

/** @param {string} globals */
const candidates = (globals) => [
  // Both are set where npm runs this.
  process.env['npm_config_node_gyp'] ?? '',
  join(dirname(process.env['npm_execpath'] ?? ''), '../node_modules/node-gyp/bin/node-gyp.js'),
  join(globals, 'npm/node_modules/node-gyp/bin/node-gyp.js'),
];

/** @param {Manner} manner */
async function globalFolder(manner) {
  const ended = await run('npm', ['root', '--global'], { ...manner, capture: true }).catch(() => null);
  return ended?.code === 0 ? ended.output.trim() : '';
}

/**
 * The package's own way, for platforms without a wheel to take the library from: its install script fetches TensorFlow's library and an
 * addon that is compiled already.
 * @param {string} folder
 * @param {'cpu' | 'gpu'} kind
 * @param {Manner} manner
 */
export async function downloadAddon(folder, kind, manner) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of ['binding', 'binding.gyp', 'scripts', 'package.json']) {
    cpSync(realpathSync(join(PACKAGE, part)), join(folder, part), { recursive: true });
  }
  const ended = await runNode(['scripts/install.js', kind, 'download'], {
    cwd: folder,
    env: {
      ...process.env,
      NODE_PATH: inProject('node_modules'),
      PATH: [inProject('node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
    },
    timeoutMs: manner.timeoutMs,
    stdio: ['ignore', 2, 2],
  });
  if (ended.interrupted) throw new Refusal('Stopped.', 130);
  if (ended.code !== 0 || !existsSync(join(folder, ADDON))) {
    throw new Refusal(
      'The install script of @tensorflow/tfjs-node-gpu brought no addon; what it said is above.',
    );
  }
}

const TRY = `
const addon = require(process.argv[1]);
const matrix = (shape, values) => addon.createTensor(shape, addon.TF_FLOAT, Float32Array.from(values));
const settings = ['transpose_a', 'transpose_b'].map((name) => ({ name, type: addon.TF_ATTR_BOOL, value: false }));
settings.push({ name: 'T', type: addon.TF_ATTR_TYPE, value: addon.TF_FLOAT });
const [product] = addon.executeOp('MatMul', settings, [matrix([1, 2], [1, 2]), matrix([2, 1], [3, 4])], 1);
if (addon.tensorDataSync(product.id)[0] !== 11) throw new Error('1 x 3 + 2 x 4 is not 11');
console.log(addon.TF_Version);
`;

/**
 * Loads the addon in a process of its own and multiplies two matrices. Returns the version of its TensorFlow.
 * @param {string} addon
 * @param {Manner} manner
 * @returns {Promise<string>}
 */
export async function tryAddon(addon, manner) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', TF_ENABLE_ONEDNN_OPTS: '0' };
  const ended = await runNode(['-e', TRY, addon], { capture: true, env, timeoutMs: manner.timeoutMs });
  if (ended.interrupted) throw new Refusal('Stopped.', 130);
  const lines = ended.output.trim().split('\n');
  if (ended.code === 0) return lines.at(-1) ?? '';
  const said =
    lines.find((line) => line.includes('Error')) ?? `it ended with ${ended.signal ?? String(ended.code)}`;
  throw new Refusal(`The addon does not work: ${said.trim()}.`);
}
