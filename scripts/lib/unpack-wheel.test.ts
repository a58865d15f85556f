import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inProject } from './project.mjs';
import { unpackWheel } from './wheels.mjs';

const PYTHON = 'python3';

let folder: string;
let to: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-unpack-'));
  to = join(folder, 'to');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Member {
  /** `~` stands for a NUL byte. */
  readonly name: string;
  readonly text?: string;
  /** As in a stat, of a regular file if it is left out. */
  readonly mode?: number;
  /** Its line in RECORD without the name; left out: the right one; null: none. */
  readonly recorded?: string | null;
}

const REGULAR = 0o100644;
const RECORD = 'a-1.dist-info/RECORD';

/** @param record in place of the right one; null: none at all */
function wheelOf(members: readonly Member[], record?: string | null): string {
  const file = join(folder, 'a.whl');
  const script = `
import base64, hashlib, json, sys, warnings, zipfile
warnings.simplefilter('ignore')
file, (members, record) = sys.argv[1], json.load(sys.stdin)
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')
rows = []
with zipfile.ZipFile(file, 'w') as wheel:
    for member in members:
        info = zipfile.ZipInfo(member['name'])
        info.external_attr = member['mode'] << 16
        wheel.writestr(info, member['text'])
        rest = member['recorded'] if 'recorded' in member else f"sha256={digest(member['text'])},{len(member['text'])}"
        if rest is not None: rows.append(f"{member['name']},{rest}\\n")
    if record is not None: wheel.writestr('${RECORD}', record or ''.join(rows) + '${RECORD},,\\n')
content = open(file, 'rb').read()
open(file, 'wb').write(content.replace(b'~', b'\\0'))
`;
  const whole = members.map((member) => ({ text: `text of ${member.name}`, mode: REGULAR, ...member }));
  // Not as an argument: those have a length.
  execFileSync(PYTHON, ['-c', script, file], {
    input: JSON.stringify([whole, record === undefined ? '' : record]),
  });
  return file;
}

const unpack = (members: readonly Member[], prefixes: string[] = [], record?: string | null): Promise<void> =>
  unpackWheel(PYTHON, wheelOf(members, record), to, prefixes, { quiet: true });

const unpacked = (): string[] =>
  existsSync(to)
    ? readdirSync(to, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(to.length + 1))
        .sort()
    : [];

const good: Member = { name: 'lib/good' };

describe('of a wheel', () => {
  // Catches: code that nobody vouches for, laid beside a library that will be loaded.
  test('only what its RECORD lists with a checksum is unpacked, and the rest is said', async () => {
    const members: Member[] = [
      good,
      { name: 'lib/unlisted', recorded: null },
      { name: 'lib/unchecked', recorded: ',' },
      { name: 'a-1.dist-info/RECORD.jws', recorded: null },
    ];
    await unpack(members);
    expect(unpacked()).toEqual(['lib/good']);
    await unpack(members, ['lib/']);
    expect(unpacked()).toEqual(['lib/good']);
    const script = inProject('scripts/lib/unpack_wheel.py');
    const { stderr } = spawnSync(PYTHON, [script, wheelOf(members), to], { encoding: 'utf8' });
    expect(stderr).toBe("Left out, as the wheel's RECORD does not list it: lib/unlisted, lib/unchecked.\n");
    await expect(unpack([{ name: 'lib/a', recorded: null }])).rejects.toThrow('has nothing in its RECORD');
  });

  // Catches: files with one name while they are written, where a member may have that very name.
  test('members may be called as they like', async () => {
    const names = ['lib/a', 'lib/a.part', 'lib/ä', 'lib/with space', '.hidden', 'lib/..a', 'lib/b..'];
    await unpack(names.map((name) => ({ name })));
    expect(unpacked()).toEqual(names.sort());
    expect(readFileSync(join(to, 'lib/a.part'), 'utf8')).toBe('text of lib/a.part');
  });

  // Catches: a checksum that is not looked at, or one that anybody can meet.
  test('a member is held to its checksum, of a kind that holds', async () => {
    const other = 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0'; // of "abc"
    await unpack([
      { name: 'a', text: 'abc', recorded: `sha256=${other},3` },
      { name: 'b', text: 'abc', recorded: `sha256=${other}=,3` },
      {
        name: 'c',
        text: 'abc',
        recorded: 'sha384=ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP_W-2AhgcroefMI1i67KE0yCWn,3',
      },
    ]);
    expect(unpacked()).toEqual(['a', 'b', 'c']);
    rmSync(to, { recursive: true });
    for (const [recorded, said] of [
      [`sha256=${other},3`, 'has not the SHA-256'],
      ['sha512=,3', 'has not the SHA-512'],
      ['md5=kAFQmDzST7DWlj99KOF_cg,3', 'of a kind that is not trusted'],
      ['sha1=qZk-NkcGgWq6PiVxeFDCbJzQ2J0,3', 'of a kind that is not trusted'],
      [other, 'should have 3 fields'],
    ] as const) {
      await expect(unpack([{ name: 'lib/bad', recorded }])).rejects.toThrow(said);
      expect(unpacked()).toEqual([]);
    }
  });

  // Catches: a file written over another program's.
  test.each([
    ['../a'],
    ['lib/../../a'],
    ['lib/..'],
    ['/a'],
    ['//a'],
    ['lib//a'],
    ['./a'],
    ['lib/./a'],
    ['C:/a'],
    ['lib\\..\\a'],
    ['lib/a~.so'],
    ['lib/a\nb'],
    ['../folder/'],
  ])('one called %j is refused with the whole wheel', async (name) => {
    await expect(unpack([good, { name }], ['lib/good'])).rejects.toThrow('may lead out of the folder');
    expect(unpacked()).toEqual([]);
  });

  // Catches: a link that a later member is written through.
  test.each([
    ['a symbolic link', 0o120777],
    ['no regular file', 0o010644],
    ['no regular file', 0o060644],
    ['no regular file', 0o040755],
  ])('one that is %s (mode %i) is refused', async (what, mode) => {
    await expect(unpack([good, { name: 'lib/link', text: '/etc', mode }])).rejects.toThrow(`that is ${what}`);
    expect(unpacked()).toEqual([]);
  });

  // Catches: a member that was held to its checksum, replaced by one with the same name on this file system.
  test.each([
    ['lib/a', 'lib/a'],
    ['lib/a', 'LIB/A'],
    ['lib/ä', 'lib/a\u0308'],
    ['lib/a', 'lib/a/b'],
    ['lib/a/b', 'lib/a'],
    ['lib/a', 'lib/a. '],
  ])('%j and %j would be one file, and are refused', async (first, second) => {
    await expect(unpack([good, { name: first }, { name: second }])).rejects.toThrow('would be one file');
    expect(unpacked()).toEqual([]);
  });

  // Catches: a stack trace of Python's for a wheel that is none.
  test('a RECORD that is missing, cannot be read or says two things is refused in one sentence', async () => {
    const line = 'lib/good,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\n';
    for (const [members, record, said] of [
      [[good], null, 'should have one RECORD in a .dist-info folder, but has 0'],
      [[good, { name: 'b-1.dist-info/RECORD' }], undefined, 'but has 2'],
      [[good], line + line, 'lists lib/good twice'],
      [[good], 'lib/good\n', 'should have 3 fields, but has 1'],
      [[good], '"lib/good', 'RECORD cannot be read'],
      [[good], `lib/good,"${'x'.repeat(200_000)}",3\n`, 'RECORD cannot be read'],
    ] as const) {
      const refused = unpack(members, [], record);
      await expect(refused).rejects.toThrow(said);
      await expect(refused).rejects.not.toThrow('Traceback');
      expect(unpacked()).toEqual([]);
    }
  });
});
