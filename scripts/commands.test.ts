import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from './lib/build.mjs';
import { inProject } from './lib/project.mjs';

const runScript = (
  script: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [inProject(`scripts/${script}.mjs`), ...args], { encoding: 'utf8' });

// Campaigns say what they have built before they look at their options.
beforeAll(ensureBuilt);

test('npm start -- --help says all of it without installing or building anything', () => {
  const { status, stdout, stderr } = runScript('start', '--help');
  expect(status).toBe(0);
  for (const option of ['--browser', '--port N', '--no-open']) expect(stdout).toContain(option);
  expect(stderr).toBe('');
});

test.each(['start', 'test'])('npm %s refuses an option that it does not know in one sentence', (script) => {
  const { status, stdout, stderr } = runScript(script, '--bowser');
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('--bowser');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

// Catches: Node's long sentence, or its stack trace.
test.each([
  [['--unknown'], 'There is no option "--unknown"; there is --only, --short, --seed, --json and --help.\n'],
  [['--json', ''], '--json takes the path of a file.\n'],
  [['--only', ''], 'There is no campaign ""; there is '],
  [['--only'], '--only needs a value.\n'],
  [['--short=3'], '--short takes no value.\n'],
])('npm run campaign refuses %j in one sentence', (args, sentence) => {
  const { status, stdout, stderr } = runScript('campaign', ...args);
  expect([status, stdout, stderr.startsWith(sentence)], stderr).toEqual([2, '', true]);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

// Catches: a stack trace, as the modules of a program are opened before any of them could say what is wrong.
test.skipIf(process.platform === 'win32').each(['start', 'test', 'engine'])(
  'npm %s says that it may open too few files',
  (script) => {
    const args = [
      '-c',
      'ulimit -n 20; exec "$0" "$1" --bowser',
      process.execPath,
      inProject(`scripts/${script}.mjs`),
    ];
    const { status, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toBe('Gradscope cannot be loaded: this process may not open more files (ulimit -n).\n');
  },
);

// Catches: tests that were broken off, or a run that never ended, taken for a success.
test.each(['start', 'test', 'train', 'bench', 'engine', 'campaign'])(
  'npm %s that waits for what never comes is no success',
  (script) => {
    const folder = mkdtempSync(join(tmpdir(), 'gradscope-commands-'));
    try {
      for (const path of [`scripts/${script}.mjs`, 'src-node/begin.mjs'])
        cpSync(inProject(path), join(folder, path));
      mkdirSync(join(folder, 'scripts/commands'));
      writeFileSync(join(folder, `scripts/commands/${script}.mjs`), 'await new Promise(() => undefined);');
      expect(spawnSync(process.execPath, [join(folder, `scripts/${script}.mjs`)]).status).toBe(13);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('a Node that is too old is named, with the one that is needed', () => {
  const older = "Object.defineProperty(process, 'versions', { value: { node: '18.20.4' } })";
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(older)}`,
      inProject('scripts/start.mjs'),
      '--browser',
    ],
    { encoding: 'utf8' },
  );
  expect(status).toBe(1);
  expect(stderr).toBe('Gradscope needs Node 20.19 or newer; this is Node 18.20.4.\n');
});
