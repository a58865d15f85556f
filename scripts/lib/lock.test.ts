import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { alone, lockContent } from './lock.mjs';
import { inProject, Refusal } from './project.mjs';

const name = `test-${String(process.pid)}`;
/** Whatever waits for so long waits for ever. */
const FOR_EVER_MS = 60_000;
const lock = inProject(`.cache/${name}.lock`);
const folder = mkdtempSync(join(tmpdir(), 'gradscope-lock-'));

afterEach(() => {
  rmSync(lock, { force: true, recursive: true });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const writeLock = (content: string): void => {
  mkdirSync(inProject('.cache'), { recursive: true });
  writeFileSync(lock, content);
};

/** Begins and ends are appended to a file by processes that want the lock at the same time. */
const program = (log: string): string => `
  import { appendFileSync } from 'node:fs';
  const { alone } = await import(${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)});
  await alone(${JSON.stringify(name)}, async () => {
    appendFileSync(${JSON.stringify(log)}, 'begin\\n');
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    appendFileSync(${JSON.stringify(log)}, 'end\\n');
  });`;

test('two installs at once would spoil node_modules: the second waits for the first', async () => {
  const log = join(folder, 'log');
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program(log)], { stdio: 'ignore' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(log, 'utf8')).toBe('begin\nend\n'.repeat(3));
});

test('a lock of a process that was killed does not stand for ever', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const content = lockContent(child.pid ?? 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  writeLock(content);
  await expect(alone(name, () => Promise.resolve('done'))).resolves.toBe('done');
});

// Catches: waiting for ever for a process that merely has the id of one that was killed.
test('a lock does not count for a later process with the same id', async () => {
  const { pid, started } = JSON.parse(lockContent(process.pid)) as { pid: number; started: string | null };
  expect(started).not.toBeNull();
  writeLock(JSON.stringify({ pid, started: `1${started ?? ''}` }));
  await expect(alone(name, () => Promise.resolve('done'))).resolves.toBe('done');
});

// Catches: waiting for ever for nobody, or a stack trace, after the lock was damaged.
test.each([
  '',
  'garbage',
  'null',
  '1',
  '{"pid":-1,"started":null}',
  '{"pid":1.5,"started":null}',
  '{"pid":"1","started":null}',
  '{"pid":1,"started":7}',
  '{"pid":1,"started":null}',
  '\0\0\0\0',
])('a lock that says %j is waited for a moment, then removed', async (content) => {
  writeLock(content);
  await expect(alone(name, () => Promise.resolve(), undefined, 0)).rejects.toThrow(/lock .*test-/);
  utimesSync(lock, 0, 0);
  await expect(alone(name, () => Promise.resolve('done'))).resolves.toBe('done');
  expect(existsSync(lock)).toBe(false);
});

// Catches: two processes at work at once, because both found the same old lock and one removed what the other had taken.
test('of many who find an old lock, one at a time is at work', async () => {
  const log = join(folder, 'after-old-lock');
  writeLock('garbage');
  utimesSync(lock, 0, 0);
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program(log)], { stdio: 'ignore' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
  expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
  expect(readFileSync(log, 'utf8')).toBe('begin\nend\n'.repeat(6));
});

// Catches: a check that waits for hours for somebody else's slow download.
test('who has no patience does not wait', async () => {
  writeLock(lockContent(process.pid));
  await expect(alone(name, () => Promise.resolve(), undefined, 0)).rejects.toThrow(Refusal);
  expect(existsSync(lock)).toBe(true);
});

test('work that fails gives the lock back', async () => {
  await expect(alone(name, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(lock)).toBe(false);
});

test('a folder in the place of a lock is named', async () => {
  mkdirSync(lock, { recursive: true });
  await expect(alone(name, () => Promise.resolve())).rejects.toThrow(
    `The lock ${lock} cannot be read, as it is a folder, where a regular file is expected: remove it.`,
  );
});

// Catches: a command that says nothing and never ends.
test.skipIf(process.platform === 'win32').each<[string, () => unknown, string]>([
  ['a pipe', () => spawnSync('mkfifo', [lock]), 'cannot be read, as it is a pipe'],
  [
    'a link that leads nowhere',
    () => {
      symlinkSync('nowhere', lock);
    },
    'is a symbolic link that leads nowhere',
  ],
  [
    'a link that leads to itself',
    () => {
      symlinkSync(lock, lock);
    },
    'cannot be read, as its symbolic links go in a circle',
  ],
])('%s in the place of a lock is named', (_, make, words) => {
  mkdirSync(inProject('.cache'), { recursive: true });
  make();
  expect(whatIsSaid()).toMatch(new RegExp(`^The lock ${lock} ${words}[^\n]*: remove it\\.\n$`));
});

// Catches: a stack trace, or a loop without a word.
test('a folder in the place of the second lock, which guards the removal of an old one, is named', () => {
  writeLock('garbage');
  utimesSync(lock, 0, 0);
  mkdirSync(`${lock}.removing`);
  utimesSync(`${lock}.removing`, 0, 0);
  expect(whatIsSaid()).toMatch(/^The lock .*\.removing cannot be removed, as .*: remove it\.\n$/);
  rmSync(`${lock}.removing`, { recursive: true });
});

/** In a process of its own, as waiting for a pipe stops the whole process. */
function whatIsSaid(): string {
  const program = `
    const { alone } = await import(${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)});
    const { runScript } = await import(${JSON.stringify(new URL('./project.mjs', import.meta.url).href)});
    await runScript(() => alone(${JSON.stringify(name)}, () => Promise.resolve(0)));`;
  const args = ['--input-type=module', '-e', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: FOR_EVER_MS }).stderr;
}
