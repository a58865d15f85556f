import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineFolder as whereTheTrainerLooks, readSetUp } from '../../src-worker/engine/tensorflow/set-up';
import { lockContent } from './lock.mjs';
import { inProject, Refusal } from './project.mjs';
import { engineFolder, NATIVE_ENGINES } from './tensorflow.mjs';
import { fetchWheel, fillFolder, requirementsOf, unpackWheel, verify } from './wheels.mjs';

const QUIET = { quiet: true };
const PYTHON = 'python3';

let folder: string;
let cacheBefore: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-engine-'));
  cacheBefore = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = folder;
});
afterEach(() => {
  if (cacheBefore === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cacheBefore;
  rmSync(folder, { recursive: true });
});

const engine = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [inProject('scripts/engine.mjs'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });

/** A small wheel: a library, a header, and one file that nobody wants. */
function makeWheel(libraryInRecord = 'the library'): string {
  const file = join(folder, 'a.whl');
  const script = `
import base64, hashlib, sys, zipfile
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')
files = {'lib/a.so': 'the library', 'lib/include/a.h': 'a header', 'other/b.py': 'more'}
recorded = {**files, 'lib/a.so': sys.argv[2]}
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as wheel:
    for name, text in files.items(): wheel.writestr(name, text)
    wheel.writestr('a-1.dist-info/METADATA', 'Name: a\\nRequires-Dist: numpy>=1\\n'
        'Requires-Dist: nvidia-x-cu12<13.0,>=12.5; extra == "and-cuda"\\n')
    wheel.writestr('a-1.dist-info/RECORD', ''.join(f'{n},sha256={digest(t)},{len(t)}\\n' for n, t in recorded.items()))
`;
  execFileSync(PYTHON, ['-c', script, file, libraryInRecord]);
  return file;
}

describe('npm run engine', () => {
  test('says all of it with --help, and touches nothing', () => {
    const { status, stdout } = engine(['--help']);
    expect(status).toBe(0);
    for (const name of [...NATIVE_ENGINES, 'remove']) expect(stdout).toContain(`npm run engine -- ${name}`);
    expect(readdirSync(folder)).toEqual([]);
  });

  // Catches: a typing error that fetches hundreds of megabytes of something else.
  test.each([[[]], [['tensorflw']], [['tensorflow', 'remove']]])('%j is refused in one sentence', (args) => {
    const { status, stdout, stderr } = engine(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(String(stderr)).toMatch(/^npm run engine needs one of tensorflow, tensorflow-gpu, remove.*\.\n$/);
  });

  // Catches: a stack trace, or a half set-up that is taken for a whole one, where there is no Python to fetch by.
  test.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'says how much it would fetch, then in one sentence why it cannot',
    () => {
      const { status, stderr } = engine(['tensorflow'], { PATH: folder });
      const [sizes, why, ...more] = String(stderr).trimEnd().split('\n');
      expect(sizes).toContain('274 MB are fetched');
      expect(why).toContain('no Python with pip was found');
      expect([status, more]).toEqual([1, []]);
      expect(readSetUp('tensorflow')).toBeNull();
    },
  );

  // Catches: a stack trace where the cache folder cannot be made.
  test('says in one sentence that the folder cannot be made', () => {
    writeFileSync(join(folder, 'file'), '');
    const { status, stderr } = engine(['tensorflow'], { XDG_CACHE_HOME: join(folder, 'file') });
    expect(status).toBe(1);
    expect(String(stderr)).toMatch(/^The engine tensorflow cannot be set up: ENOTDIR.*\.\n$/);
  });

  // Catches: a library that is compiled against, and run, wherever it came from.
  test.skipIf(process.platform === 'win32')('does not set up where others can write', () => {
    const at = engineFolder('tensorflow');
    mkdirSync(join(at, 'library-2.21.0'), { recursive: true });
    chmodSync(join(at, 'library-2.21.0'), 0o777);
    const { status, stderr } = engine(['tensorflow'], { PATH: folder });
    expect(status).toBe(1);
    expect(String(stderr)).toMatch(
      /^The engine tensorflow cannot be set up: .*library-2\.21\.0 \(owner \d+, mode 0777\) should be writable for its owner only, .*\.\n$/,
    );
  });

  // Catches: a set-up of a user whose files are writable for his group, which the trainer then refuses.
  test.skipIf(process.platform === 'win32')('makes folders that nobody else can write', () => {
    const script = `process.umask(0); process.argv.push('engine', 'tensorflow'); await import(${JSON.stringify(inProject('scripts/engine.mjs'))});`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, PATH: folder },
    });
    expect(statSync(engineFolder('tensorflow')).mode & 0o777).toBe(0o700);
  });

  // Catches: hundreds of megabytes that are fetched for an addon which cannot be compiled afterwards.
  test.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'looks for a compiler before it fetches anything',
    () => {
      const python = join(folder, 'python3');
      writeFileSync(python, '#!/bin/sh\nexit 0\n');
      chmodSync(python, 0o755);
      const { status, stderr } = engine(['tensorflow'], {
        PATH: folder,
        CXX: 'no-such-compiler',
        MAKE: python,
      });
      expect(stderr).toContain('no-such-compiler does not run: install make and g++ first.');
      expect(status).toBe(1);
      expect(existsSync(join(engineFolder('tensorflow'), 'download'))).toBe(false);
    },
  );

  describe.runIf(process.platform === 'linux' && process.arch === 'x64')('that goes on', () => {
    const downloads = (version: string): string =>
      join(engineFolder('tensorflow'), 'download', version, 'tensorflow');
    /** With programs that are there and fail, and so much free space. */
    function goOn(freeMB: number): string {
      const program = join(folder, 'python3');
      writeFileSync(program, '#!/bin/sh\ncase "$*" in *--version) exit 0;; esac\nexit 7\n');
      chmodSync(program, 0o755);
      const space = `fs.statfsSync = () => ({ bavail: ${String(freeMB)}, bsize: 1e6 })`;
      const script = `import fs from 'node:fs'; ${space}; (await import('node:module')).syncBuiltinESMExports();`;
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
      return String(
        engine(['tensorflow'], { PATH: folder, CXX: program, MAKE: program, NODE_OPTIONS }).stderr,
      );
    }

    // Catches: a download that may not go on for want of the room that its own beginning took.
    test('needs room for the rest only', () => {
      mkdirSync(`${downloads('2.21.0')}.part`, { recursive: true });
      const part = join(`${downloads('2.21.0')}.part`, 'a.whl.part');
      writeFileSync(part, '');
      truncateSync(part, 200e6);
      expect(goOn(928)).toContain('should have 929 MB of space for it, but has 928 MB');
      expect(goOn(929)).toContain('tensorflow-cpu==2.21.0 could not be fetched');
    });

    // Catches: the library of another version under the name of this one.
    test('takes nothing that was fetched for another version', () => {
      mkdirSync(downloads('2.20.0'), { recursive: true });
      mkdirSync(join(engineFolder('tensorflow'), 'download/tensorflow'));
      for (const old of [downloads('2.20.0'), join(engineFolder('tensorflow'), 'download/tensorflow')])
        writeFileSync(join(old, 'tensorflow_cpu-2.20.0-cp311-cp311-any.whl'), 'old');
      expect(goOn(5000)).toContain('tensorflow-cpu==2.21.0 could not be fetched');
    });
  });

  // Catches: a folder that is said to be gone and is not; a failure because somebody else removes it too.
  test('remove leaves what is not its own, and says so; two at once are one', async () => {
    mkdirSync(engineFolder('tensorflow'), { recursive: true });
    const others = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [inProject('scripts/engine.mjs'), 'remove'], { stdio: 'ignore' }),
    );
    expect(await Promise.all(others.map((other) => once(other, 'exit')))).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    mkdirSync(join(folder, 'gradscope/tensorflow'), { recursive: true });
    writeFileSync(join(folder, 'gradscope/tensorflow/mine'), '');
    expect(String(engine(['remove']).stderr)).toContain('holds something else');
    expect(existsSync(join(folder, 'gradscope/tensorflow/mine'))).toBe(true);
  });

  test('remove takes away what was set up, and says so when there is nothing', () => {
    mkdirSync(engineFolder('tensorflow'), { recursive: true });
    writeFileSync(join(engineFolder('tensorflow'), 'a'), '');
    expect(String(engine(['remove']).stderr)).toContain('is removed');
    expect(existsSync(join(folder, 'gradscope/tensorflow'))).toBe(false);
    expect(engine(['remove'])).toMatchObject({ status: 0, stderr: 'No engine was set up.\n' });
  });

  // Catches: a set-up whose files go while it compiles against them.
  test('remove waits for a set-up that is under way', async () => {
    const at = engineFolder('tensorflow');
    mkdirSync(at, { recursive: true });
    const settingUp = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(settingUp, 'spawn');
    writeFileSync(join(at, 'engine.lock'), lockContent(settingUp.pid ?? 0));
    writeFileSync(join(at, 'library'), '');
    const removal = spawn(process.execPath, [inProject('scripts/engine.mjs'), 'remove'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(removal, 'exit');
    const [said] = (await once(removal.stderr, 'data')) as [Buffer];
    expect(said.toString()).toContain(`Waiting for process ${String(settingUp.pid)}`);
    expect(existsSync(join(at, 'library'))).toBe(true);
    settingUp.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(existsSync(join(folder, 'gradscope/tensorflow'))).toBe(false);
  });
});

// Catches: an engine that is set up where the trainer does not look.
test('the trainer looks where the engines are set up, wherever that is', () => {
  for (const name of NATIVE_ENGINES) {
    expect(whereTheTrainerLooks(name)).toBe(engineFolder(name));
    process.env['XDG_CACHE_HOME'] = '';
    expect(whereTheTrainerLooks(name)).toBe(engineFolder(name));
    process.env['XDG_CACHE_HOME'] = folder;
  }
});

// Catches: a set-up that was broken off, or whose files are gone, being taken for one that is there.
test('an engine is set up when its mark and its addon are both there', () => {
  const at = engineFolder('tensorflow');
  mkdirSync(at, { recursive: true });
  const mark = JSON.stringify({ package: '4.22.0', addon: 'addon.node', tensorflow: '2.21.0' });
  writeFileSync(join(at, 'ready.json'), mark.slice(0, 20));
  writeFileSync(join(at, 'addon.node'), '');
  expect(readSetUp('tensorflow')).toBeNull();
  writeFileSync(join(at, 'ready.json'), mark);
  expect(readSetUp('tensorflow')).toEqual({ packageVersion: '4.22.0', addon: join(at, 'addon.node') });
  rmSync(join(at, 'addon.node'));
  expect(readSetUp('tensorflow')).toBeNull();
});

describe('a wheel', () => {
  test('is unpacked as far as it is wanted', async () => {
    const to = join(folder, 'to');
    await unpackWheel(PYTHON, makeWheel(), to, ['lib/a.so', 'lib/include/'], QUIET);
    expect(readFileSync(join(to, 'lib/a.so'), 'utf8')).toBe('the library');
    expect(readdirSync(to)).toEqual(['lib']);
    expect(readdirSync(join(to, 'lib')).sort()).toEqual(['a.so', 'include']);
  });

  // Catches: a damaged library that is compiled against and crashes the trainer.
  test('with a file that is not what its record says is refused', async () => {
    const unpacked = unpackWheel(PYTHON, makeWheel('another library'), join(folder, 'to'), [], QUIET);
    await expect(unpacked).rejects.toThrow('lib/a.so has not the SHA-256');
    expect(existsSync(join(folder, 'to/lib/a.so'))).toBe(false);
  });

  // Catches: hundreds of megabytes that lie there until somebody tries again.
  test('that could not be unpacked leaves nothing of its folder, and an older attempt neither', async () => {
    const to = join(folder, 'library');
    const wheel = makeWheel('another library');
    mkdirSync(`${to}.part`);
    const fill = (prefixes: string[]): Promise<void> =>
      fillFolder(to, async (part) => {
        await unpackWheel(PYTHON, wheel, part, ['lib/include/'], QUIET);
        await unpackWheel(PYTHON, wheel, part, prefixes, QUIET);
      });
    await expect(fill(['lib/a.so'])).rejects.toThrow('lib/a.so has not the SHA-256');
    expect([existsSync(to), existsSync(`${to}.part`)]).toEqual([false, false]);
    await fill(['other/']);
    expect(readdirSync(to).sort()).toEqual(['lib', 'other']);
  });

  test('that is broken off is refused', async () => {
    const file = makeWheel();
    writeFileSync(file, readFileSync(file).subarray(0, 200));
    await expect(unpackWheel(PYTHON, file, join(folder, 'to'), [], QUIET)).rejects.toThrow(Refusal);
  });

  test('says what it requires for an extra', async () => {
    expect(await requirementsOf(PYTHON, makeWheel(), 'and-cuda', QUIET)).toEqual([
      'nvidia-x-cu12<13.0,>=12.5',
    ]);
  });

  // Catches: a download that is done again, or one with the wrong content that is kept.
  test('that was fetched before is not fetched again, and is removed when its checksum is another', async () => {
    const there = join(folder, 'download');
    mkdirSync(there);
    writeFileSync(join(there, 'a.whl'), 'abc');
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const wheel = { requirement: 'a==1', platforms: [], python: '311', sha256 };
    expect(await fetchWheel('no-such-python', wheel, there, QUIET)).toBe(join(there, 'a.whl'));
    await expect(verify(join(there, 'a.whl'), sha256.replace('b', 'c'))).rejects.toThrow('it was removed');
    expect(existsSync(there)).toBe(false);
  });
});
