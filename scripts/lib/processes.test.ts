import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { run } from './processes.mjs';
import { inProject } from './project.mjs';

const module = JSON.stringify(new URL('./processes.mjs', import.meta.url).href);

/** Runs a program that only a signal ends, and exits with the code it ended with. */
const runner = `
  const { run } = await import(${module});
  const endless = 'console.log("running"); setInterval(() => {}, 1000)';
  process.exit((await run(process.execPath, ['-e', endless])).code);`;

/** The same with a program of Node's, started as such. */
const runnerOfNode = `
  const { runNode } = await import(${module});
  const endless = 'console.log("running"); setInterval(() => {}, 1000)';
  process.exit((await runNode(['-e', endless])).code);`;

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

// Catches: what a killed script has started, left running for ever.
test('a killed script leaves nothing running', async () => {
  const script = spawn(process.execPath, ['--input-type=module', '-e', runnerOfNode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await started(script);
  const allGone = once(script, 'close');
  script.kill('SIGKILL');
  await allGone;
});

// Catches: the same when the script dies before what it has started has loaded.
test.each([0, 30, 60, 100])('nor one that is killed %i ms after it has started something', async (ms) => {
  const dies = runnerOfNode.replace(
    'process.exit',
    `setTimeout(() => process.kill(process.pid, 9), ${String(ms)});$&`,
  );
  const script = spawn(process.execPath, ['--input-type=module', '-e', dies], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  script.stdout.resume();
  expect(await once(script, 'close')).toEqual([null, 'SIGKILL']);
});

// Catches: a download or an unpacking that goes on after whoever wanted it was killed.
test.skipIf(process.platform === 'win32')('a killed script leaves no Python running', async () => {
  const program = `
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(inProject('scripts/lib'))})
import end_with_parent, time
print("running", flush=True)
time.sleep(3600)`;
  const runnerOfPython = `
    const { run } = await import(${module});
    await run('python3', ['-c', ${JSON.stringify(program)}]);`;
  const script = spawn(process.execPath, ['--input-type=module', '-e', runnerOfPython], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await started(script);
  const allGone = once(script, 'close');
  script.kill('SIGKILL');
  await allGone;
});

// npm starts a script by a shell that outlives it: the script's own parent is still there.
test.skipIf(process.platform === 'win32')('a killed npm leaves nothing running', async () => {
  const npmLike = `
    const { spawn } = require('node:child_process');
    const env = { ...process.env, npm_package_json: ${JSON.stringify(inProject('package.json'))},
      npm_lifecycle_script: 'node scripts/start.mjs' };
    const args = ['-c', '"$0" --input-type=module -e "$1"; true', process.execPath, ${JSON.stringify(runnerOfNode)}];
    spawn('sh', args, { stdio: 'inherit', env });`;
  const npm = spawn(process.execPath, ['-e', npmLike], { stdio: ['ignore', 'pipe', 'inherit'] });
  await started(npm);
  const allGone = once(npm, 'close');
  npm.kill('SIGKILL');
  await allGone;
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
