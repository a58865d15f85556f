import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Refusal, requireBuildablePath, systemRefusal } from './project.mjs';

// Catches: a build that fails with a bundler's riddle, after a minute of installing.
test.each(['/home/c#/gradscope/', '/tmp/what?/gradscope/'])('a checkout in %s is refused', (folder) => {
  expect(() => {
    requireBuildablePath(folder);
  }).toThrow(Refusal);
});

test.each(['/home/a b/gradscope/', "/tmp/100%/it's/gradscope/", 'C:\\Users\\ü\\gradscope\\'])(
  'a checkout in %s is not',
  (folder) => {
    expect(() => {
      requireBuildablePath(folder);
    }).not.toThrow();
  },
);

// Catches: a stack trace in a checkout that somebody else owns.
test('what the system refuses becomes a sentence that names the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradscope-project-'));
  const inFile = join(folder, 'file', 'below');
  writeFileSync(join(folder, 'file'), '');
  try {
    writeFileSync(inFile, '');
    expect.unreachable();
  } catch (error) {
    expect(systemRefusal(error)?.message).toBe(
      `Gradscope cannot open ${inFile}: a part of the path is not a folder (ENOTDIR).`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a fault of ours keeps its stack', () => {
  expect(systemRefusal(new TypeError('x is not a function'))).toBeNull();
  expect(systemRefusal('EACCES')).toBeNull();
});

// Catches: an error whose code is a number, as of a program that failed or of a wait that was given up, hidden behind a fault of ours.
test.each([
  `new DOMException('It took too long.', 'TimeoutError')`,
  `Object.assign(new Error('It took too long.'), { code: 1 })`,
])('a script that fails with %s says so', (error) => {
  const program = `
      const { runScript } = await import(${JSON.stringify(new URL('./project.mjs', import.meta.url).href)});
      await runScript(() => Promise.reject(${error}));`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('It took too long.');
  expect(stderr).not.toContain('TypeError');
});
