import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms, type BuiltPrograms } from './testing/built-programs';

let built: BuiltPrograms;
beforeAll(async () => {
  built = await buildPrograms();
});
afterAll(() => {
  built.remove();
});

/** Code of everything that starts when a program starts, and the packages that it loads. */
function loadedBy(program: string): { code: string; packages: string[] } {
  const byName = new Map(built.chunks.map((chunk) => [chunk.fileName, chunk]));
  const seen = new Set<string>([`${program}.js`]);
  let code = '';
  for (const name of seen) {
    const chunk = byName.get(name);
    if (chunk === undefined) continue;
    code += chunk.code;
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) seen.add(next);
  }
  return { code, packages: [...seen].filter((name) => !byName.has(name) && !name.startsWith('node:')) };
}

describe('the built programs', () => {
  // Catches: code shared by two programs put into the file of one, which then starts with the other (a worker that opens
  // windows), or a package loaded where it cannot be: electron without Electron.
  it.each([
    ['worker', ['electron', 'ws', 'open', 'commander'], ['startDesktop(', 'runProgram(']],
    ['training-thread', ['electron', 'ws', 'open', 'commander'], ['startDesktop(', 'runProgram(']],
    ['headless', ['electron', 'ws', 'open'], ['startDesktop(', 'startBrowserShell(']],
    ['browser', ['electron'], ['startDesktop(', 'readHeadlessRun(']],
    ['desktop', ['ws', 'open', 'commander'], ['startBrowserShell(', 'readHeadlessRun(']],
  ])('%s starts itself alone', (program, packages, starts) => {
    const loaded = loadedBy(program);
    expect(loaded.code).not.toBe('');
    expect(loaded.packages.filter((name) => packages.includes(name))).toEqual([]);
    expect(starts.filter((start) => loaded.code.includes(start))).toEqual([]);
  });

  // Catches: arithmetic loaded into the process that serves pages and windows.
  it('keeps tfjs in the training thread', () => {
    for (const program of ['worker', 'headless', 'browser', 'desktop']) {
      expect(loadedBy(program).packages.filter((name) => name.startsWith('@tensorflow/'))).toEqual([]);
    }
    expect(loadedBy('training-thread').packages).toContain('@tensorflow/tfjs-core');
  });

  // Catches: a desktop that hangs for ever before its first window: Electron becomes ready only when its entry has been
  // evaluated to the end (electron/electron#40719).
  it('has no top-level await in the desktop', () => {
    expect(loadedBy('desktop').code).not.toMatch(/^(?:\w.*\s)?await\s/m);
    expect(loadedBy('desktop').packages).toContain('electron');
  });
});
