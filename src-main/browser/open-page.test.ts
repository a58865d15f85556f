import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPage, whyNoWindow } from './open-page';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradscope-open-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A program that stands for the browser: notes its arguments and ends with `code`. */
async function browserEndingWith(code: number): Promise<string> {
  const script = join(folder, 'chrome');
  await writeFile(script, `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/arguments'\nexit ${String(code)}\n`);
  await chmod(script, 0o755);
  vi.stubEnv('CHROME_PATH', script);
  return script;
}

describe.runIf(process.platform === 'linux')('opening the page', () => {
  const address = 'http://127.0.0.1:1/?token=abc';

  // Catches: a tab in whatever browser instead of a window of its own, or an address that loses its token.
  it('takes the browser of CHROME_PATH and gives it a window of its own', async () => {
    await browserEndingWith(0);
    await openPage(address, () => undefined);
    await vi.waitFor(async () => {
      const given = await readFile(join(folder, 'arguments'), 'utf8');
      expect(given.split('\n')[0]).toBe(`--app=${address}`);
    });
  });

  // Catches: a browser that fails to start while the person waits for a window.
  it('says when the browser ends with an error', async () => {
    const script = await browserEndingWith(3);
    const sentence = await new Promise<string>((resolve) => {
      void openPage(address, resolve);
    });
    expect(sentence).toBe(`${script} ended with exit code 3.`);
  });
});

describe('whether there is a window to be had', () => {
  // Catches: a browser started on a server, or over SSH on somebody else's screen.
  it('looks for a display on Linux and for an SSH session elsewhere', () => {
    expect(whyNoWindow({}, 'linux')).toBe('there is no display');
    expect(whyNoWindow({ DISPLAY: '' }, 'linux')).toBe('there is no display');
    expect(whyNoWindow({ DISPLAY: ':0' }, 'linux')).toBeUndefined();
    expect(whyNoWindow({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBeUndefined();
    expect(whyNoWindow({}, 'darwin')).toBeUndefined();
    expect(whyNoWindow({ SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, 'darwin')).toBe(
      'this is an SSH session',
    );
  });
});
