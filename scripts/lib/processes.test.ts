import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { run } from './processes.mjs';

const module = JSON.stringify(new URL('./processes.mjs', import.meta.url).href);

/** Runs a program that only a signal ends, and exits with the code it ended with. */
const runner = `
  const { run } = await import(${module});
  const endless = 'console.log("running"); setInterval(() => {}, 1000)';
  process.exit((await run(process.execPath, ['-e', endless])).code);`;

const started = async (child: ChildProcess): Promise<void> => {
  if (child.stdout === null) throw new Error('no stdout');
  await once(child.stdout, 'data');
};

test('a signal ends what was started, not only the script around it', async () => {
  const script = spawn(process.execPath, ['--input-type=module', '-e', runner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await started(script);
  script.kill('SIGTERM');
  expect(await once(script, 'exit')).toEqual([128 + 15, null]);
});

test.skipIf(process.platform === 'win32')('killing npm leaves nothing running', async () => {
  // As npm runs a script: by a shell that does not pass signals on.
  const shell = spawn('sh', ['-c', '"$0" --input-type=module -e "$1"; true', process.execPath, runner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await started(shell);
  // Closed when the last process that holds it has ended.
  const allGone = once(shell, 'close');
  shell.kill('SIGTERM');
  await allGone;
  expect(shell.signalCode).toBe('SIGTERM');
});

test('what takes longer than its limit is killed, and says so', async () => {
  const ended = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    capture: true,
    timeoutMs: 300,
  });
  expect(ended).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
});

// Catches: a compiler or a download, begun by what was killed, that is waited for after all.
test('what a killed program has started is not waited for', async () => {
  // It ends when nobody reads it any more.
  const talks = 'process.stdout.on("error", () => process.exit()); setInterval(() => console.log("x"), 20)';
  const starts = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(talks)}], { stdio: 'inherit' })`;
  const ended = await run(process.execPath, ['-e', starts], { capture: true, timeoutMs: 1000 });
  expect(ended.timedOut).toBe(true);
});
