import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inProject } from './project.mjs';

/** A checkout with a bundler that copies one source file, so that a build takes no time. */
let checkout: string;
const at = (path: string): string => join(checkout, path);
const WORKER = 'out/main/worker.js';

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'gradscope-build-'));
  for (const folder of ['scripts', 'src-node']) cpSync(inProject(folder), at(folder), { recursive: true });
  for (const folder of ['src-main', 'src-renderer', 'src-shared', 'src-worker', 'assets', 'out'])
    mkdirSync(at(folder));
  for (const file of ['package.json', 'package-lock.json', 'electron.vite.config.ts', 'tsconfig.base.json'])
    writeFileSync(at(file), '{}');
  writeFileSync(at('src-worker/index.ts'), 'first');
  bundler(`cpSync('src-worker/index.ts', '${WORKER}'); writeFileSync('out/main/browser.js', '');`);
});

afterEach(() => {
  rmSync(checkout, { recursive: true });
});

function bundler(code: string): void {
  mkdirSync(at('node_modules/electron-vite/bin'), { recursive: true });
  writeFileSync(
    at('node_modules/electron-vite/bin/electron-vite.js'),
    `const { cpSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
     rmSync('out/main', { recursive: true, force: true }); mkdirSync('out/main', { recursive: true }); ${code}`,
  );
}

/** What ensureBuilt says and how it ends, in a process of its own. */
function ensureBuilt(): { status: number | null; stderr: string } {
  const program = `
    const { ensureBuilt } = await import(${JSON.stringify(at('scripts/lib/build.mjs'))});
    const { runScript } = await import(${JSON.stringify(at('scripts/lib/project.mjs'))});
    await runScript(async () => { await ensureBuilt(); return 0; });`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: checkout,
    // Whatever waits for so long waits for ever.
    timeout: 60_000,
  });
  return { status, stderr };
}

test('builds once', () => {
  expect(ensureBuilt()).toEqual({ status: 0, stderr: 'Building ...\n' });
  expect(ensureBuilt()).toEqual({ status: 0, stderr: '' });
});

// Catches: half a build that counts as built once the sources are put back, so that every later start crashes.
test('a build that was killed does not count, whatever the sources are', () => {
  ensureBuilt();
  writeFileSync(at('src-worker/index.ts'), 'second');
  bundler(`process.kill(process.pid, 'SIGKILL');`);
  expect(ensureBuilt().status).not.toBe(0);
  writeFileSync(at('src-worker/index.ts'), 'first');
  bundler(`cpSync('src-worker/index.ts', '${WORKER}');`);
  expect(ensureBuilt()).toEqual({ status: 0, stderr: 'Building ...\n' });
  expect(readFileSync(at(WORKER), 'utf8')).toBe('first');
});

// Catches: a stack trace at every start after a built file was lost.
test.each([
  ['is missing', () => rmSync(at(WORKER))],
  ['is cut', () => writeFileSync(at(WORKER), 'fi')],
  ['is empty', () => writeFileSync(at('out/built.sha256'), '')],
])('builds again when a file of it %s', (_, damage) => {
  ensureBuilt();
  damage();
  expect(ensureBuilt()).toEqual({
    status: 0,
    stderr: 'Building again: the sources or the built files changed ...\n',
  });
  expect(readFileSync(at(WORKER), 'utf8')).toBe('first');
});

// Catches: a stack trace, a start that waits for ever.
test.each([
  ['folder', () => mkdirSync(at('out/built.sha256/in-it'), { recursive: true })],
  ...(process.platform === 'win32'
    ? []
    : [['pipe', () => execFileSync('mkfifo', [at('out/built.sha256')])] as const]),
] as const)('a %s in the place of the stamp is removed', (_, make) => {
  ensureBuilt();
  rmSync(at('out/built.sha256'));
  make();
  expect(ensureBuilt()).toMatchObject({ status: 0 });
  expect(ensureBuilt()).toEqual({ status: 0, stderr: '' });
});

test.skipIf(process.platform === 'win32')('a pipe among the sources is named', () => {
  execFileSync('mkfifo', [at('src-worker/pipe.ts')]);
  expect(ensureBuilt()).toEqual({
    status: 2,
    stderr: `Building ...\n${at('src-worker/pipe.ts')} cannot be read: it is a pipe, where a regular file is expected.\n`,
  });
});

test('a build that fails leaves nothing that counts', () => {
  bundler(`console.error('no such module'); process.exit(1);`);
  expect(ensureBuilt()).toEqual({
    status: 1,
    stderr: 'Building ...\nThe build failed:\nno such module\n\n',
  });
  expect(existsSync(at('out/built.sha256'))).toBe(false);
});
