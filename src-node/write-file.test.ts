import { execFileSync, spawnSync, type SpawnSyncOptions } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkWritable, writeWhole } from './write-file.mjs';

const IS_ROOT = process.getuid?.() === 0;
const OLD = 'what was there';
const NEW = 'what is new';

/** A copy that every user of the machine can read. */
const sources = mkdtempSync(join(tmpdir(), 'gradscope-sources-'));
let folder: string;
const inFolder = (...names: string[]): string => join(folder, ...names);
const text = (file: string): string => readFileSync(file, 'utf8');
const modeOf = (file: string): string => (statSync(file).mode & 0o7777).toString(8);

beforeAll(() => {
  cpSync(fileURLToPath(new URL('.', import.meta.url)), sources, { recursive: true });
  chmodSync(sources, 0o755);
});
afterAll(() => {
  rmSync(sources, { recursive: true });
});
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradscope-write-')));
  writeFileSync(inFolder('file'), OLD);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Both say the same, and neither has changed anything. */
function refusalOf(file: string): string {
  const before = snapshot();
  const [checked, written] = [() => checkWritable(file), () => writeWhole(file, NEW)].map((attempt) => {
    try {
      attempt();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error(`${file} was not refused.`);
  });
  expect(written).toBe(checked);
  expect(snapshot()).toEqual(before);
  return (checked ?? '').replaceAll(folder, '');
}

const snapshot = (): unknown =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, size } = lstatSync(path);
      return [path, mode, size, entry.isFile() ? text(path) : null];
    })
    .sort();

describe('a file that is written', () => {
  // Catches: half a file, a draft left behind, a check that changes the file.
  it('is replaced whole, and nothing else is left', () => {
    checkWritable(inFolder('file'));
    expect(text(inFolder('file'))).toBe(OLD);
    expect(writeWhole(inFolder('file'), NEW)).toEqual([]);
    expect(text(inFolder('file'))).toBe(NEW);
    checkWritable(inFolder('new'));
    expect(existsSync(inFolder('new'))).toBe(false);
    writeWhole(inFolder('new'), Uint8Array.of(1, 2));
    expect([...readFileSync(inFolder('new'))]).toEqual([1, 2]);
    expect(readdirSync(folder).sort()).toEqual(['file', 'new']);
  });

  // Catches: 664 and 600 that become 644, a lost setgid bit, a mode cut by the umask.
  it.each(['600', '664', '644', '666', '640', '2664', '755', '200'])('keeps the mode %s', (mode) => {
    chmodSync(inFolder('file'), Number.parseInt(mode, 8));
    writeWhole(inFolder('file'), NEW);
    expect(modeOf(inFolder('file'))).toBe(mode);
  });

  // Catches: a mode of its own for a new file, past the umask.
  it('gets the mode of any new file', () => {
    writeFileSync(inFolder('plain'), NEW);
    writeWhole(inFolder('new'), NEW);
    expect(modeOf(inFolder('new'))).toBe(modeOf(inFolder('plain')));
  });

  // Catches: root's file in the place of a user's.
  it.skipIf(!IS_ROOT)('keeps owner and group', () => {
    chownSync(inFolder('file'), 1234, 4321);
    chmodSync(inFolder('file'), 0o6640);
    expect(writeWhole(inFolder('file'), NEW)).toEqual([]);
    const { uid, gid } = statSync(inFolder('file'));
    expect([uid, gid, modeOf(inFolder('file'))]).toEqual([1234, 4321, '6640']);
  });

  // Catches: a group that gets what another group was allowed; a change that nobody is told of.
  it.skipIf(!IS_ROOT)('says what could not be kept, and opens nothing to another group', () => {
    chmodSync(folder, 0o777);
    chownSync(inFolder('file'), 1234, 4321);
    chmodSync(inFolder('file'), 0o6672);
    const { said } = writeAsAnotherUser('file');
    expect(said).toEqual([
      `${inFolder('file')} had the owner 1234 and has 65534 now, as only root may keep it.`,
      `${inFolder('file')} had the group 4321 and has 65534 now, as only its members may keep it.`,
    ]);
    expect([text(inFolder('file')), modeOf(inFolder('file'))]).toEqual([NEW, '622']);
  });

  // Catches: a link that becomes a file of its own.
  it('is the one that symbolic links lead to', () => {
    mkdirSync(inFolder('a'));
    mkdirSync(inFolder('b'));
    symlinkSync('../file', inFolder('a', 'first'));
    symlinkSync(inFolder('a', 'first'), inFolder('b', 'second'));
    symlinkSync('a', inFolder('way'));
    chmodSync(inFolder('file'), 0o604);
    for (const link of [inFolder('a', 'first'), inFolder('b', 'second'), inFolder('way', 'first')]) {
      writeFileSync(inFolder('file'), OLD);
      checkWritable(link);
      writeWhole(link, NEW);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect([text(inFolder('file')), modeOf(inFolder('file'))]).toEqual([NEW, '604']);
    }
    expect(readdirSync(inFolder('a'))).toEqual(['first']);
  });

  // Catches: "a/../x" taken as text, which ends elsewhere when "a" is a link.
  it('is found as the system finds it, through folders that are links', () => {
    mkdirSync(inFolder('deep', 'er'), { recursive: true });
    symlinkSync('deep/er', inFolder('short'));
    symlinkSync('short/../target', inFolder('link'));
    writeWhole(inFolder('link'), NEW);
    expect(text(inFolder('deep', 'target'))).toBe(NEW);
  });

  // Catches: a refusal, or a file in the place of the link.
  it('is made where a link leads to nothing yet', () => {
    symlinkSync('later', inFolder('link'));
    writeWhole(inFolder('link'), NEW);
    expect([readlinkSync(inFolder('link')), text(inFolder('later'))]).toEqual(['later', NEW]);
  });

  // Catches: a draft whose name is longer than any name may be.
  it.each([237, 238, 254, 255])('may have a name of %i bytes', (length) => {
    const file = inFolder('n'.repeat(length));
    checkWritable(file);
    writeWhole(file, NEW);
    expect(text(file)).toBe(NEW);
  });

  // Catches: a hard link that is cut without a word.
  it('says that other names of the file keep what was there', () => {
    linkSync(inFolder('file'), inFolder('other'));
    expect(writeWhole(inFolder('file'), NEW)).toEqual([
      `${inFolder('file')} had 2 names (hard links); the other ones keep what was there.`,
    ]);
    expect([text(inFolder('file')), text(inFolder('other'))]).toEqual([NEW, OLD]);
  });

  // Catches: a file cut short by a kill; drafts of killed processes that pile up; a draft taken from a living process.
  it('is whole after a kill, and the next writer takes away what the killed one left', () => {
    const killed = write('file', `fs.fsyncSync = () => process.kill(process.pid, 'SIGKILL');`);
    expect(killed.signal).toBe('SIGKILL');
    expect(text(inFolder('file'))).toBe(OLD);
    const [draft = ''] = readdirSync(folder).filter((name) => name.endsWith('.part'));
    expect(text(inFolder(draft))).toBe(NEW);
    const living = draft.replace(/-\d+-/, `-${String(process.pid)}-`);
    const foreign = draft.replace(/-[0-9a-f]{6}-/, '-000000-');
    for (const other of [living, foreign]) writeFileSync(inFolder(other), 'being written');
    writeWhole(inFolder('file'), NEW);
    expect(readdirSync(folder).sort()).toEqual([foreign, living, 'file'].sort());
  });

  // Catches: an old file that is lost with the new one, a draft that fills the disk for ever.
  it.each(['ENOSPC', 'EDQUOT', 'EIO'])('stays as it was when the disk says %s', (code) => {
    const failing = write('file', failsWith('writeFileSync', code));
    expect(failing.reason).toMatch(
      /^(there is no space left on the disk|the disk quota is used up|the disk failed)$/,
    );
    expect(snapshot()).toEqual([expect.arrayContaining([inFolder('file'), OLD])]);
  });

  // Catches: the end by a signal, or half a file.
  it('stays as it was when the new one would be larger than files may be', () => {
    const script = `ulimit -f 1; exec "$0" "$@"`;
    const [program = '', ...args] = writing('file', '', 'new Uint8Array(100_000)');
    const ended = spawnSync('sh', ['-c', script, program, ...args], { encoding: 'utf8' });
    expect(JSON.parse(ended.stdout)).toEqual({ reason: 'it would be larger than a file may be here' });
    expect(snapshot()).toEqual([expect.arrayContaining([inFolder('file'), OLD])]);
  });

  // The real thing, where this machine lets a process mount something for itself.
  it('stays as it was on a disk that is full', ({ skip }) => {
    mkdirSync(inFolder('disk'));
    const small = `mount -t tmpfs -o size=16k none ${inFolder('disk')} && echo old > ${inFolder('disk', 'w')}`;
    const write = writing('disk/w', '', 'new Uint8Array(100_000)');
    const script = `${small} || exit 9; "$0" "$@"; cat ${inFolder('disk', 'w')}; ls -A ${inFolder('disk')}`;
    const ended = spawnSync('unshare', ['-Urm', 'sh', '-c', script, ...write], { encoding: 'utf8' });
    if (ended.error !== undefined || [1, 9].includes(ended.status ?? 1)) skip('Nothing can be mounted here.');
    expect(ended.stdout.split('\n')).toEqual([
      JSON.stringify({ reason: 'there is no space left on the disk' }),
      ...['old', 'w', ''],
    ]);
  });
});

describe('a file that is refused', () => {
  // Catches: a pipe, a folder or a socket that is replaced; a hang.
  it.each<[string, () => string, string]>([
    ['a folder', () => made('sub', (path) => mkdirSync(path)), '/sub cannot be written: it is a folder.'],
    [
      'a folder by its name',
      () => `${inFolder('none')}/`,
      '/none/ cannot be written: its name is that of a folder.',
    ],
    [
      'a file with a slash',
      () => `${inFolder('file')}/`,
      '/file/ cannot be written: its name is that of a folder.',
    ],
    ['the folder itself', () => inFolder('.'), ' cannot be written: it is a folder.'],
    ['an empty name', () => '', ' cannot be written: its name is empty.'],
    ['a pipe', () => made('pipe', pipe), '/pipe cannot be written: it is a pipe.'],
    [
      'a link to a pipe',
      () =>
        made('link', (path) => {
          pipe(inFolder('pipe'));
          symlinkSync('pipe', path);
        }),
      '/link cannot be written: it is a pipe.',
    ],
    [
      'a link to itself',
      () => made('loop', (path) => symlinkSync('loop', path)),
      '/loop cannot be written: its symbolic links go in a circle.',
    ],
    [
      'a missing folder',
      () => inFolder('none', 'file'),
      '/none/file cannot be written: its folder does not exist.',
    ],
    [
      'a file as a folder',
      () => inFolder('file', 'w'),
      '/file/w cannot be written: a part of its path is not a folder.',
    ],
    [
      'a name of 256 bytes',
      () => inFolder('n'.repeat(256)),
      `/${'n'.repeat(256)} cannot be written: its name or its path is too long.`,
    ],
    [
      'a read-only file',
      () =>
        made('mine', (path) => {
          writeFileSync(path, OLD);
          chmodSync(path, 0o444);
        }),
      '/mine cannot be written: it is read-only.',
    ],
    [
      'a read-only file behind a link',
      () =>
        made('link', (path) => {
          chmodSync(inFolder('file'), 0o400);
          symlinkSync('file', path);
        }),
      '/link cannot be written: it is read-only.',
    ],
    [
      'an open file of the process',
      () => '/dev/fd/1',
      '/dev/fd/1 cannot be written: it is an open stream of this process, not a file.',
    ],
  ])('is %s', (_what, make, sentence) => {
    expect(refusalOf(make())).toBe(sentence);
  });

  // Catches: a file of somebody's that only its owner may change, and the folder that its owner has closed.
  it.skipIf(!IS_ROOT)('is one that the user may not write', () => {
    chmodSync(folder, 0o777);
    chmodSync(inFolder('file'), 0o644);
    expect(writeAsAnotherUser('file').reason).toBe('it is not permitted');
    chownSync(inFolder('file'), 65534, 65534);
    chmodSync(folder, 0o755);
    expect(writeAsAnotherUser('file').reason).toBe(
      'its folder permits no new file, and without one it cannot be written whole or not at all',
    );
    expect(text(inFolder('file'))).toBe(OLD);
  });

  // Catches: root led by somebody's link in /tmp to a file of root's.
  it.skipIf(!IS_ROOT)('is one behind a link of another user in a folder where everybody may write', () => {
    mkdirSync(inFolder('shared'));
    chmodSync(inFolder('shared'), 0o1777);
    symlinkSync('../file', inFolder('shared', 'link'));
    lchownSync(inFolder('shared', 'link'), 1234, 1234);
    expect(refusalOf(inFolder('shared', 'link'))).toBe(
      '/shared/link cannot be written: it is a symbolic link of another user in a folder where everybody may write.',
    );
  });

  // Catches: an hour of training for a file that nothing can replace.
  it('is one that is a mount point', ({ skip }) => {
    const file = inFolder('file');
    const script = `mount --bind ${file} ${file} || exit 9; "$0" "$@"`;
    const ended = spawnSync('unshare', ['-Urm', 'sh', '-c', script, ...writing('file')], {
      encoding: 'utf8',
    });
    if (ended.error !== undefined || ended.status !== 0) skip('Nothing can be mounted here.');
    expect(JSON.parse(ended.stdout)).toEqual({ reason: 'it is a mount point, which nothing can replace' });
  });

  it('is one on a file system that is read-only', ({ skip }) => {
    const script = `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder} || exit 9; "$0" "$@"`;
    for (const name of ['file', 'new']) {
      const ended = spawnSync('unshare', ['-Urm', 'sh', '-c', script, ...writing(name)], {
        encoding: 'utf8',
      });
      if (ended.error !== undefined || ended.status !== 0) skip('Nothing can be mounted here.');
      expect(JSON.parse(ended.stdout)).toEqual({ reason: 'the file system is read-only' });
    }
  });
});

const pipe = (path: string): void => void execFileSync('mkfifo', [path]);

function made(name: string, make: (path: string) => void): string {
  make(inFolder(name));
  return inFolder(name);
}

interface Written {
  readonly said?: string[];
  readonly reason?: string;
  readonly signal?: NodeJS.Signals | null;
}

/** A command that writes the file in a process of its own, after `first` was done to `fs`, and prints what came of it. */
function writing(name: string, first = '', content = JSON.stringify(NEW)): string[] {
  const script = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    ${first}
    syncBuiltinESMExports();
    const { writeWhole } = await import(${JSON.stringify(pathToFileURL(join(sources, 'write-file.mjs')).href)});
    try {
      console.log(JSON.stringify({ said: writeWhole(${JSON.stringify(inFolder(name))}, ${content}) }));
    } catch ({ reason }) {
      console.log(JSON.stringify({ reason }));
    }`;
  return [process.execPath, '--input-type=module', '--eval', script];
}

function write(name: string, first = '', options: SpawnSyncOptions = {}): Written {
  const [program = '', ...args] = writing(name, first);
  const { stdout, signal } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  return signal === null ? (JSON.parse(stdout) as Written) : { signal };
}

const writeAsAnotherUser = (name: string): Written => write(name, '', { uid: 65534, gid: 65534, cwd: '/' });

const failsWith = (name: string, code: string): string =>
  `fs.${name} = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }); };`;
