import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRegularFile } from './read-file.mjs';

let folder: string;
const inFolder = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-read-'));
  writeFileSync(inFolder('file'), 'twelve bytes');
  writeFileSync(inFolder('empty'), '');
  writeFileSync(inFolder('sparse'), '');
  truncateSync(inFolder('sparse'), 2 ** 40);
  symlinkSync('file', inFolder('link'));
  symlinkSync('nowhere', inFolder('dangling'));
  symlinkSync('loop', inFolder('loop'));
  execFileSync('mkfifo', [inFolder('pipe')]);
  symlinkSync('pipe', inFolder('link-to-pipe'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a regular file', () => {
  // Catches: bytes lost or added at the end; a size of 0 taken at its word where the system makes the content up.
  it('is read to its end', () => {
    const textOf = (file: string, most: number): string =>
      new TextDecoder().decode(readRegularFile(file, most));
    expect(textOf(inFolder('file'), 12)).toBe('twelve bytes');
    expect(textOf(inFolder('link'), 100)).toBe('twelve bytes');
    expect(textOf(inFolder('empty'), 0)).toBe('');
    if (process.platform === 'linux') expect(textOf('/proc/self/status', 100_000)).toContain('Pid:');
  });

  // Catches: memory for a file of a terabyte; a hang on a pipe; a stack trace.
  it.each([
    ['file', 11, 'it has 12 bytes, where at most 11 are allowed'],
    ['sparse', 1000, 'it has 1099511627776 bytes, where at most 1000 are allowed'],
    ['.', 1000, 'it is a folder, where a regular file is expected'],
    ['pipe', 1000, 'it is a pipe, where a regular file is expected'],
    ['link-to-pipe', 1000, 'it is a pipe, where a regular file is expected'],
    ['dangling', 1000, 'there is no such file or folder'],
    ['none', 1000, 'there is no such file or folder'],
    ['file/w', 1000, 'a part of its path is not a folder'],
    ['loop', 1000, 'its symbolic links go in a circle'],
    ['n'.repeat(256), 1000, 'its name or its path is too long'],
    ['nul\0', 1000, 'its path is not valid'],
  ])('%s with at most %i bytes is refused', (name, most, reason) => {
    const error: unknown = expect.objectContaining({
      name: 'FileError',
      reason,
      message: `${folder}/${name} cannot be read: ${reason}.`,
    });
    expect(() => readRegularFile(`${folder}/${name}`, most)).toThrow(error);
  });
});
