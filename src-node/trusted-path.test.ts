import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whyTreeUntrusted, whyUntrusted } from './trusted-path.mjs';

/** Somebody else on the machine; only root can give a file to another user. */
const STRANGER = 54_321;
const isRoot = process.geteuid?.() === 0;

let folder: string;
let library: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradscope-trust-')));
  mkdirSync(join(folder, 'a/b'), { recursive: true, mode: 0o755 });
  library = join(folder, 'a/b/library.so');
  writeFileSync(library, '', { mode: 0o644 });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

// Windows has no such owners and modes: Node makes them up there.
describe.skipIf(process.platform === 'win32')('code on the disk', () => {
  // Catches: an engine that nobody can load, where temporary folders and home folders are as they usually are.
  test('of this user, in folders of this user and root, is trusted', () => {
    expect(whyUntrusted(library)).toBeNull();
    expect(whyTreeUntrusted(folder)).toBeNull();
    chmodSync(library, 0o755);
    chmodSync(folder, 0o1777);
    expect(whyUntrusted(library)).toBeNull();
    expect(whyUntrusted('/bin/sh')).toBeNull();
  });

  // Catches: code that others can change, or put in place of what was looked at.
  test.each([
    ['a/b/library.so', 0o666],
    ['a/b/library.so', 0o664],
    ['a/b/library.so', 0o602],
    ['a/b', 0o777],
    ['a/b', 0o775],
    ['a', 0o757],
    ['', 0o777],
  ])('at %j with mode %i is refused, with the path, its owner, its mode and what to do', (part, mode) => {
    const path = join(folder, part);
    chmodSync(path, mode);
    const shown = `0${mode.toString(8)}`;
    const why =
      `${path} (owner ${String(process.geteuid?.())}, mode ${shown}) should be writable for its owner only, as others could put ` +
      `any code there; if nobody did, chmod go-w ${path} mends it`;
    expect(whyUntrusted(library)).toBe(why);
    expect(whyTreeUntrusted(join(folder, 'a'))).toBe(why);
  });

  // Catches: a folder into which everybody may put one more library.
  test('beside which everybody may lay more is refused, although none may be replaced', () => {
    chmodSync(join(folder, 'a/b'), 0o1777);
    expect(whyUntrusted(library)).toBeNull();
    expect(whyTreeUntrusted(folder)).toContain(`${join(folder, 'a/b')} (owner`);
    expect(whyUntrusted(join(folder, 'a/b'))).toContain('mode 1777');
  });

  describe.skipIf(!isRoot)('(skipped where this is not root, who alone can give files away)', () => {
    // Catches: an owner who is looked at in some places only. As root, a file of any user is another user's.
    test.each(['a/b/library.so', 'a/b', 'a', ''])('that belongs to another user at %j is refused', (part) => {
      const path = join(folder, part);
      chownSync(path, STRANGER, STRANGER);
      const why = whyUntrusted(library);
      expect(why).toContain(`${path} (owner 54321, mode 0`);
      expect(why).toContain('should belong to root, as its owner could put any code there; ');
      expect(whyTreeUntrusted(join(folder, 'a'))).toBe(why);
      chownSync(path, 0, 0);
    });

    // Catches: /tmp, in which everybody's entries are safe from others but not from their owners.
    test('that belongs to another user in a sticky folder is refused', () => {
      chmodSync(folder, 0o1777);
      chownSync(join(folder, 'a'), STRANGER, STRANGER);
      expect(whyUntrusted(library)).toContain(`${join(folder, 'a')} (owner 54321`);
    });

    // Catches: a link that its owner leads elsewhere as soon as its end was looked at.
    test('behind a link of another user is refused', () => {
      const link = join(folder, 'link');
      symlinkSync('a', link);
      lchownSync(link, STRANGER, STRANGER);
      expect(whyUntrusted(join(link, 'b/library.so'))).toContain(`${link} (owner 54321`);
    });

    // Catches: a user who is refused what root has installed, or what is his own.
    test('is trusted where it belongs to the user who asks, or to root', () => {
      chownSync(library, STRANGER, STRANGER);
      expect(whyUntrusted(library, new Set([0, STRANGER]))).toBeNull();
      expect(whyUntrusted(library, new Set([0, 1]))).toContain(library);
    });
  });

  // Catches: a link whose end nobody looks at.
  test('is looked at where its links lead, by every folder on the way', () => {
    const elsewhere = join(folder, 'elsewhere/deep');
    mkdirSync(elsewhere, { recursive: true });
    writeFileSync(join(elsewhere, 'library.so'), '', { mode: 0o644 });
    symlinkSync(elsewhere, join(folder, 'a/absolute'));
    symlinkSync('../elsewhere/deep', join(folder, 'a/relative'));
    symlinkSync('relative/../deep/./library.so', join(folder, 'a/twice'));
    const links = ['absolute/library.so', 'relative/library.so', 'twice'].map((name) =>
      join(folder, 'a', name),
    );
    for (const link of links) expect(whyUntrusted(link)).toBeNull();
    chmodSync(join(folder, 'elsewhere'), 0o777);
    for (const link of links) expect(whyUntrusted(link)).toContain(`${join(folder, 'elsewhere')} (owner`);
    expect(whyTreeUntrusted(join(folder, 'a'))).toContain(`${join(folder, 'elsewhere')} (owner`);
  });

  // Catches: a library in a folder that is only linked to, which is loaded all the same.
  test('in a linked folder is looked at with everything else in it', () => {
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere/library.so'), '');
    chmodSync(join(folder, 'elsewhere/library.so'), 0o666);
    symlinkSync('../elsewhere', join(folder, 'a/link'));
    expect(whyTreeUntrusted(join(folder, 'a'))).toContain('elsewhere/library.so (owner');
  });

  // Catches: a look that never ends, or ends with a stack trace.
  test('that cannot be found, or only by going in circles, is refused in words', () => {
    symlinkSync('circle', join(folder, 'circle'));
    symlinkSync('..', join(folder, 'a/up'));
    expect(whyUntrusted(join(folder, 'circle'))).toContain('more than 40 symbolic links');
    expect(whyUntrusted(join(folder, 'none'))).toMatch(/^ENOENT.*none'$/);
    expect(whyTreeUntrusted(join(folder, 'a'))).toContain('more than 40 symbolic links');
    rmSync(join(folder, 'circle'));
    expect(whyTreeUntrusted(join(folder, 'a'))).toBeNull();
  });
});

test('where the system has no owners, everything is trusted', () => {
  expect(whyUntrusted('/no/such/file', null)).toBeNull();
  expect(whyTreeUntrusted('/no/such/folder', null)).toBeNull();
});
