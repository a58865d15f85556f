import { expect, test } from 'vitest';
import { cacheFolder } from './cache-folder';

// Catches: files of Gradscope's in a folder of other programs, or none where there is a place.
test.each([
  [{ XDG_CACHE_HOME: '/x', LOCALAPPDATA: '/local' }, 'win32', '/home/a', '/x/gradscope'],
  [{ XDG_CACHE_HOME: '' }, 'linux', '/home/a', '/home/a/.cache/gradscope'],
  [{ LOCALAPPDATA: '/local' }, 'linux', '/home/a', '/home/a/.cache/gradscope'],
  [{}, 'darwin', '/Users/a', '/Users/a/Library/Caches/gradscope'],
  [{ LOCALAPPDATA: '/local' }, 'win32', '/Users/a', '/local/gradscope'],
  [{}, 'win32', '/Users/a', '/Users/a/.cache/gradscope'],
  [{}, 'linux', '', null],
] as const)('%j on %s, home %j: %s', (environment, platform, home, expected) => {
  expect(cacheFolder(environment, platform, home)).toBe(expected);
});
