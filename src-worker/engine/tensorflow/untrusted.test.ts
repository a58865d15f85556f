import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { offeredEngines, openEngine } from '../index';
import { engineFolder } from './set-up';

let cache: string;
let folder: string;
beforeEach(() => {
  cache = realpathSync(mkdtempSync(join(tmpdir(), 'gradscope-cache-')));
  vi.stubEnv('XDG_CACHE_HOME', cache);
  folder = engineFolder('tensorflow') ?? '';
  mkdirSync(join(folder, 'addon'), { recursive: true });
  mkdirSync(join(folder, 'library'));
  const require = createRequire(import.meta.url);
  const { version } = require('@tensorflow/tfjs-node-gpu/package.json') as { readonly version: string };
  writeFileSync(join(folder, 'addon/a.node'), 'no addon');
  writeFileSync(join(folder, 'library/a.so'), 'no library');
  writeFileSync(join(folder, 'ready.json'), JSON.stringify({ package: version, addon: 'addon/a.node' }));
  for (const path of ['addon/a.node', 'library/a.so', 'ready.json']) chmodSync(join(folder, path), 0o644);
  for (const path of ['addon', 'library', '', '..', '../..']) chmodSync(join(folder, path), 0o755);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

describe.skipIf(process.platform === 'win32')(
  'the engine tensorflow (skipped on Windows, whose access lists Node cannot read)',
  () => {
    // Catches: code of another user's run as this one's.
    test.each(['addon/a.node', 'addon', 'library/a.so', 'library', 'ready.json', '', '..', '../..'])(
      'is not loaded where others can write at %j',
      async (part) => {
        const path = join(folder, part);
        chmodSync(path, 0o777);
        await expect(openEngine('tensorflow')).rejects.toMatchObject({
          code: 'engine-unavailable',
          message: expect.stringMatching(
            `^The engine tensorflow cannot load: ${path} \\(owner .*, mode 0777\\) should be .* chmod go-w ${path} mends it\\.$`,
          ) as unknown,
        });
      },
    );

    // Catches: what somebody else could have written read before anybody asks who could.
    test('is offered, and refused by the same sentence, where others can write its mark, whatever it says', async () => {
      writeFileSync(join(folder, 'ready.json'), 'garbage');
      chmodSync(join(folder, 'ready.json'), 0o666);
      expect(offeredEngines()).toContain('tensorflow');
      await expect(openEngine('tensorflow')).rejects.toThrow(`${join(folder, 'ready.json')} (owner`);
    });

    // Catches: a start that waits for ever, or that fills the memory.
    test.each<[string, (mark: string) => unknown]>([
      ['a pipe', (mark) => execFileSync('mkfifo', [mark])],
      ['a folder', (mark) => mkdirSync(mark, 0o755)],
      [
        'a huge file',
        (mark) => {
          writeFileSync(mark, `"${'x'.repeat(100_000)}"`, { mode: 0o644 });
        },
      ],
    ])('is not set up where its mark is %s', async (_, make) => {
      const mark = join(folder, 'ready.json');
      rmSync(mark);
      make(mark);
      expect(offeredEngines()).not.toContain('tensorflow');
      await expect(openEngine('tensorflow')).rejects.toThrow('it is not set up; npm run engine');
    });

    // Catches: a start that waits for ever for a library.
    test('is not set up where its addon is no file', async () => {
      rmSync(join(folder, 'addon/a.node'));
      mkdirSync(join(folder, 'addon/a.node'), 0o755);
      await expect(openEngine('tensorflow')).rejects.toThrow('it is not set up; npm run engine');
    });

    // Catches: a check that refuses everything.
    test('is loaded where nobody else can: here until the system says that it is no addon', async () => {
      await expect(openEngine('tensorflow')).rejects.toThrow('a.node did not load (');
    });

    // Catches: a mark that leads to an addon elsewhere, which was not looked at.
    test('is not loaded from elsewhere without a look', async () => {
      const elsewhere = join(cache, 'elsewhere.node');
      writeFileSync(elsewhere, 'no addon');
      chmodSync(elsewhere, 0o666);
      const require = createRequire(import.meta.url);
      const { version } = require('@tensorflow/tfjs-node-gpu/package.json') as { readonly version: string };
      writeFileSync(
        join(folder, 'ready.json'),
        JSON.stringify({ package: version, addon: '../../../elsewhere.node' }),
      );
      await expect(openEngine('tensorflow')).rejects.toThrow(`${elsewhere} (owner`);
    });
  },
);
