import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOutput } from './output-file';

let folder: string;
const inFolder = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-output-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** More than a pipe holds. */
const LARGE = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

describe('what --save names', () => {
  // Catches: a file that is opened, and so emptied, before there is anything to write.
  it('is a file that stays as it is until the end of the run', async () => {
    writeFileSync(inFolder('w'), 'what was there');
    const output = openOutput(inFolder('w'));
    expect([output.isStandardOutput, readFileSync(inFolder('w'), 'utf8')]).toEqual([false, 'what was there']);
    expect(await output.write(Uint8Array.of(1, 2, 3))).toEqual([]);
    output.close();
    expect([...readFileSync(inFolder('w'))]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(['w']);
  });

  // Catches: a pipe that becomes a file, a reader that hears the end before the weights, bytes lost in a full pipe.
  it('may be a pipe that somebody reads, and stays a pipe', async () => {
    execFileSync('mkfifo', [inFolder('pipe')]);
    symlinkSync('pipe', inFolder('link'));
    for (const name of ['pipe', 'link']) {
      const reader = spawn('cat', [inFolder('pipe')], { stdio: ['ignore', 'pipe', 'inherit'] });
      const read: Buffer[] = [];
      reader.stdout.on('data', (bytes: Buffer) => read.push(bytes));
      const ended = new Promise((resolve) => reader.on('close', resolve));
      const output = await opened(inFolder(name));
      await output.write(LARGE);
      output.close();
      await ended;
      expect(Buffer.concat(read).equals(LARGE)).toBe(true);
      expect(lstatSync(inFolder('pipe')).isFIFO()).toBe(true);
    }
  });

  // Catches: a hang before the first step, for ever.
  it('is refused where it is a pipe that nobody reads', () => {
    execFileSync('mkfifo', [inFolder('pipe')]);
    const message = `${inFolder('pipe')} cannot be written: it is a pipe that nobody reads, so its reader has to be started first.`;
    expect(() => openOutput(inFolder('pipe'))).toThrow(
      expect.objectContaining({ code: 'cannot-write', message }),
    );
    expect(lstatSync(inFolder('pipe')).isFIFO()).toBe(true);
  });

  // Catches: a write that waits for ever for a reader that has gone, or a stack trace.
  it('is refused where the reader of the pipe has gone', async () => {
    execFileSync('mkfifo', [inFolder('pipe')]);
    const reader = spawn('cat', [inFolder('pipe')], { stdio: 'ignore' });
    const output = await opened(inFolder('pipe'));
    const ended = new Promise((resolve) => reader.on('close', resolve));
    reader.kill('SIGKILL');
    await ended;
    await expect(output.write(LARGE)).rejects.toMatchObject({
      code: 'cannot-write',
      message: `${inFolder('pipe')} cannot be written: whoever read it has gone.`,
    });
    output.close();
  });

  // Catches: weights that go into whatever file has the number of the closed pipe by now; a second close that closes that file.
  it('takes nothing more once it is closed, not the rest of a write that waits for a reader', async () => {
    execFileSync('mkfifo', [inFolder('pipe')]);
    // Open for both, this process is the reader, and it reads nothing.
    const reader = openSync(inFolder('pipe'), 'r+');
    const output = openOutput(inFolder('pipe'));
    const writing = output.write(LARGE);
    output.close();
    // The system gives the lowest number that is free.
    const later = openSync(inFolder('later'), 'w+');
    const closed = {
      code: 'cannot-write',
      message: `${inFolder('pipe')} cannot be written: it was closed.`,
    };
    await expect(writing).rejects.toMatchObject(closed);
    await expect(output.write(LARGE)).rejects.toMatchObject(closed);
    output.close();
    expect(fstatSync(later).size).toBe(0);
    closeSync(later);
    closeSync(reader);
  });

  // Catches: weights of a run that was ended in the place of those that were there.
  it('is a file that stays as it is once the output is closed', async () => {
    writeFileSync(inFolder('w'), 'what was there');
    const output = openOutput(inFolder('w'));
    output.close();
    await expect(output.write(LARGE)).rejects.toMatchObject({ code: 'cannot-write' });
    expect(readFileSync(inFolder('w'), 'utf8')).toBe('what was there');
    expect(readdirSync(folder)).toEqual(['w']);
  });

  // Catches: a reader that gets a piece of the weights, then all of them, and takes both for one file.
  it('takes nothing more after a write, whatever came of it', async () => {
    const output = openOutput(inFolder('w'));
    await output.write(Uint8Array.of(1));
    await expect(output.write(LARGE)).rejects.toMatchObject({
      message: `${inFolder('w')} cannot be written: it was written to already.`,
    });
    output.close();
    expect([...readFileSync(inFolder('w'))]).toEqual([1]);
  });

  it('is refused where nothing could be written later', () => {
    for (const [name, reason] of [
      ['none/w', 'its folder does not exist'],
      ['.', 'it is a folder'],
    ] as const) {
      expect(() => openOutput(`${folder}/${name}`)).toThrow(
        expect.objectContaining({
          code: 'cannot-write',
          message: `${folder}/${name} cannot be written: ${reason}.`,
        }),
      );
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Once the reader, which was started just now, has the pipe open. */
async function opened(file: string): Promise<ReturnType<typeof openOutput>> {
  for (;;) {
    try {
      return openOutput(file);
    } catch (error) {
      if (!String(error).includes('nobody reads')) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
