import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differing, incomplete } from './install.mjs';

const wanted = {
  '': {},
  'node_modules/a': { version: '1.0.0' },
  'node_modules/b-win32': { version: '2.0.0', optional: true },
};

test('packages for other platforms need not be there', () => {
  expect(differing(wanted, { 'node_modules/a': { version: '1.0.0' } })).toEqual([]);
});

test('a package that was added or raised in the lockfile is installed again', () => {
  expect(differing(wanted, {})).toEqual(['node_modules/a 1.0.0 is not installed']);
  expect(differing(wanted, { 'node_modules/a': { version: '0.9.0' } })).toHaveLength(1);
  expect(
    differing(wanted, {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b-win32': { version: '1.0.0' },
    }),
  ).toEqual(['node_modules/b-win32 2.0.0 is not installed']);
});

// Catches: a stack trace at every start after a package was removed, as npm's own list still names it.
test('a package that was removed, emptied or replaced is incomplete', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradscope-install-'));
  const packageJson = (name: string, text: string): void => {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'package.json'), text);
  };
  try {
    packageJson('whole', '{"version":"1.0.0"}');
    packageJson('replaced', '{"version":"2.0.0"}');
    packageJson('cut', '{"vers');
    packageJson('nothing', 'null');
    mkdirSync(join(folder, 'node_modules/emptied'));
    const names = ['whole', 'replaced', 'cut', 'nothing', 'emptied', 'removed'];
    const installed = Object.fromEntries(names.map((name) => [`node_modules/${name}`, { version: '1.0.0' }]));
    expect(incomplete(folder, { '': {}, ...installed })).toEqual(
      names.slice(1).map((name) => `node_modules/${name} is incomplete`),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
