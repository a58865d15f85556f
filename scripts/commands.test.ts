import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { inProject } from './lib/project.mjs';

const runScript = (
  script: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [inProject(`scripts/${script}.mjs`), ...args], { encoding: 'utf8' });

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
