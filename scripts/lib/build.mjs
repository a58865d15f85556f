import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { alone } from './lock.mjs';
import { runNode } from './processes.mjs';
import { inProject, Refusal, say } from './project.mjs';

const SOURCES = ['src-main', 'src-node', 'src-renderer', 'src-shared', 'src-worker', 'assets'];
const SETTINGS = [
  ...['package.json', 'package-lock.json', 'electron.vite.config.ts', 'tsconfig.base.json'],
  'scripts/lib/assemblyscript.mjs',
];
const NOT_BUILT = /\.(test|bench)\.tsx?$/;
const STAMP = inProject('out/built.sha256');

/** Builds unless out/ holds what these very sources give. */
export async function ensureBuilt() {
  if (isBuilt()) return;
  await alone('build', async () => {
    if (isBuilt()) return;
    say('Building ...');
    const ended = await build();
    if (ended.code !== 0) throw new Refusal(`The build failed:\n${ended.output}`);
  });
}

/** Builds in any case. */
export async function build() {
  // Taken first: sources that change while it builds are built next time.
  const sources = sourcesHash();
  const ended = await runNode([inProject('node_modules/electron-vite/bin/electron-vite.js'), 'build'], {
    capture: true,
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (ended.code === 0) writeFileSync(STAMP, sources);
  return ended;
}

function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourcesHash();
}

function sourcesHash() {
  const hash = createHash('sha256');
  for (const path of [...SETTINGS, ...SOURCES.flatMap(filesUnder)]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(inProject(path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesUnder(folder) {
  return readdirSync(inProject(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesUnder(path);
      return NOT_BUILT.test(entry.name) ? [] : [path];
    });
}
