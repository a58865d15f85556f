import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readRegularFile } from '../../src-node/read-file.mjs';
import { alone } from './lock.mjs';
import { runNode } from './processes.mjs';
import { inProject, Refusal, say } from './project.mjs';
import { readTextIfThere } from './read-text.mjs';

const SOURCES = ['src-main', 'src-node', 'src-renderer', 'src-shared', 'src-worker', 'assets'];
const SETTINGS = [
  ...['package.json', 'package-lock.json', 'electron.vite.config.ts', 'tsconfig.base.json'],
  'scripts/lib/assemblyscript.mjs',
];
const NOT_BUILT = /\.(test|bench)\.tsx?$/;
const OUTPUTS = ['out/main', 'out/preload', 'out/renderer'];
/** Hash of what was built and of what it was built from; only there while a build is complete. */
const STAMP = 'out/built.sha256';

/**
 * Builds unless out/ holds exactly what these very sources gave.
 * @throws {Refusal} when it cannot be built
 */
export async function ensureBuilt() {
  if (isBuilt()) return;
  await alone('build', async () => {
    if (isBuilt()) return;
    say(
      existsSync(inProject(STAMP))
        ? 'Building again: the sources or the built files changed ...'
        : 'Building ...',
    );
    const ended = await build();
    if (ended.interrupted) throw new Refusal('The build was interrupted.', ended.code);
    if (ended.code !== 0) throw new Refusal(`The build failed:\n${ended.output}`);
  });
}

/** Builds in any case. */
export async function build() {
  // An interrupted build leaves no stamp, so that half of one never counts as built.
  rmSync(inProject(STAMP), { force: true, recursive: true });
  // Taken first: sources that change while it builds are built next time.
  const sources = hashOf(sourceFiles());
  const ended = await runNode([inProject('node_modules/electron-vite/bin/electron-vite.js'), 'build'], {
    capture: true,
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (ended.code === 0) writeFileSync(inProject(STAMP), stampOf(sources));
  return ended;
}

function isBuilt() {
  const stamp = readTextIfThere(inProject(STAMP));
  return stamp !== null && stamp === stampOf(hashOf(sourceFiles()));
}

/** @param {string} sources hash of the source files */
const stampOf = (sources) => `${sources} ${hashOf(OUTPUTS.flatMap((folder) => filesUnder(folder)))}\n`;

const sourceFiles = () => [
  ...SETTINGS,
  ...SOURCES.flatMap((folder) => filesUnder(folder)).filter((path) => !NOT_BUILT.test(path)),
];

/** @param {readonly string[]} paths */
function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    hash
      .update(`${path}\0`)
      .update(readRegularFile(inProject(path), Infinity))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @returns {string[]} empty when there is no such folder
 */
function filesUnder(folder) {
  if (!existsSync(inProject(folder))) return [];
  return readdirSync(inProject(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
}
