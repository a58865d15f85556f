import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureWritable, writeWhole } from './output-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradscope-output-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the file that --save names', () => {
  // Catches: a half-written file, or drafts left beside it.
  it('is written whole, over what was there, and leaves nothing else', async () => {
    const file = join(folder, 'w.safetensors');
    await writeFile(file, 'what was there');
    await ensureWritable(file);
    expect(await readFile(file, 'utf8')).toBe('what was there');
    await writeWhole(file, Uint8Array.of(1, 2, 3));
    expect([...(await readFile(file))]).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual(['w.safetensors']);
  });

  // Catches: hours of training that end in a refusal; a probe left behind by one.
  it('is refused before the run where it could not be written', async () => {
    await mkdir(join(folder, 'sub'));
    for (const [file, reason] of [
      [join(folder, 'nowhere', 'w'), 'there is no such file or folder'],
      [join(folder, 'sub'), 'it is a folder'],
    ] as const) {
      const error = { code: 'cannot-write', message: `${file} cannot be written: ${reason}.` };
      await expect(ensureWritable(file)).rejects.toMatchObject(error);
      await expect(writeWhole(file, Uint8Array.of(1))).rejects.toMatchObject({ code: 'cannot-write' });
    }
    expect(await readdir(folder)).toEqual(['sub']);
    expect(await readdir(join(folder, 'sub'))).toEqual([]);
  });
});
