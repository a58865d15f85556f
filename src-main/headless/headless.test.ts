import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineSpeed } from '../../src-shared/model/engine-table';
import { buildPrograms, runProgram, type BuiltPrograms, type Running } from '../testing/built-programs';

/** The headless shell as it is shipped, with the real trainer. */
let built: BuiltPrograms;
let folder: string;
beforeAll(async () => {
  built = await buildPrograms();
  folder = await mkdtemp(join(tmpdir(), 'gradscope-headless-'));
  await writeFile(join(folder, 'order.json'), '[[0, 1, 2, 3], [4, 5, 6, 7]]');
  await writeFile(join(folder, 'too-far.json'), '[[0], [1, 60000]]');
  await writeFile(join(folder, 'read-only'), 'what was there', { mode: 0o444 });
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await writeFile(join(folder, 'short.safetensors'), Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, 123));
});
afterAll(async () => {
  built.remove();
  await rm(folder, { recursive: true });
});

/** As on a machine on which no engine was set up. */
const headless = (...args: string[]): Running =>
  runProgram(built.script('headless'), args, { XDG_CACHE_HOME: join(folder, 'cache') });
const eventsOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('npm run train', () => {
  // Catches: keys or an order of lines that differ from the contract; a saved file that is not what was trained; a loop or
  // a loading of weights that changes a number.
  it('prints one JSON object a line and saves what it says it trained, in either loop', async () => {
    const order = join(folder, 'order.json');
    const runs = ['imperative', 'fit'].map(async (mode) => {
      const save = join(folder, `${mode}.safetensors`);
      const args = [
        '--mode',
        mode,
        '--steps',
        '3',
        '--seed',
        '5',
        '--order',
        order,
        '--save',
        save,
        '--json',
      ];
      const { code, stdout, stderr } = await headless(...args).ended;
      expect([code, stderr]).toEqual([0, '']);
      return { events: eventsOf(stdout), file: await readFile(save) };
    });
    const [imperative, fit] = await Promise.all(runs);
    const events = imperative?.events ?? [];
    expect(events.map(({ event }) => event)).toEqual(['engines', 'step', 'step', 'epoch', 'step', 'done']);
    expect(Object.keys(events[0] ?? {})).toEqual(['event', 'chosen', 'table']);
    const table = events[0]?.['table'] as readonly EngineSpeed[];
    expect(Object.keys(table[0] ?? {})).toEqual(['name', 'variant', 'imagesPerSecond', 'reason']);
    expect(events[0]?.['chosen']).toBe(events.at(-1)?.['engine']);
    expect(events.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual([1, 2, 3]);
    const epoch = events.find(({ event }) => event === 'epoch') ?? {};
    expect(Object.keys(epoch)).toEqual([
      'event',
      'epoch',
      'runningTrainLoss',
      'runningTrainAccuracy',
      'testLoss',
      'testAccuracy',
      'imagesPerSecond',
    ]);
    expect(epoch['epoch']).toBe(1);
    const done = events.at(-1) ?? {};
    expect(Object.keys(done)).toEqual(['event', 'engine', 'variant', 'versions', 'steps', 'weightsSha256']);
    expect(done).toMatchObject({ engine: 'simd', steps: 3, versions: { Node: process.versions.node } });
    expect(done['variant']).toBe(table.find(({ name }) => name === 'simd')?.variant);
    const { Gradscope } = done['versions'] as Record<string, string>;
    expect(Gradscope).toMatch(/^\d+\.\d+\.\d+$/);

    const file = imperative?.file ?? Buffer.alloc(8);
    const data = file.subarray(8 + Number(file.readBigUInt64LE(0)));
    expect(done['weightsSha256']).toBe(createHash('sha256').update(data).digest('hex'));
    expect(fit?.events.at(-1)).toEqual(done);
    expect(fit?.file.equals(file)).toBe(true);

    // A run of no further step from the saved file would have the same weights; one more step has the next loss.
    const resumed = await headless(
      ...[
        '--init',
        join(folder, 'fit.safetensors'),
        '--steps',
        '1',
        '--order',
        order,
        '--json',
        '--no-dropout',
      ],
    ).ended;
    expect(eventsOf(resumed.stdout).map(({ event }) => event)).toEqual(['engines', 'step', 'done']);
  });

  // Catches: the two accuracies mixed up or unnamed; a table that prints nothing.
  it('prints a table with both accuracies named', async () => {
    const { code, stdout } = await headless('--epochs', '1', '--order', join(folder, 'order.json')).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('running training accuracy');
    expect(stdout).toContain('test accuracy');
    expect(stdout).toMatch(/^ +1 .*%.*% /m);
    expect(stdout).toMatch(/2 steps, weights SHA-256 [0-9a-f]{64}/);
  });

  // Catches: a thread that trains without what TensorFlow's library reads of the environment, other bits in another process or
  // in the other loop, a word of the library's on stdout or stderr.
  it('trains on TensorFlow, with the same bits each time', async ({ skip }) => {
    const shas = ['imperative', 'imperative', 'fit'].map(async (mode) => {
      const args = ['--engine', 'tensorflow', '--mode', mode, '--steps', '20', '--json'];
      const { code, stdout, stderr } = await runProgram(built.script('headless'), args).ended;
      if (stderr.includes('npm run engine -- tensorflow sets it up')) skip(stderr.trim());
      expect([code, stderr]).toEqual([0, '']);
      const done = eventsOf(stdout).at(-1);
      expect(done).toMatchObject({ event: 'done', engine: 'tensorflow', steps: 20 });
      return done?.['weightsSha256'];
    });
    expect(new Set(await Promise.all(shas)).size).toBe(1);
  });

  // Catches: /dev/stdout that becomes a file, weights with a report between them, a report that is lost.
  it.each(['/dev/stdout', '-'])('writes weights to stdout for %s, and the report to stderr', async (save) => {
    const args = ['--engine', 'simd', '--steps', '1', '--json', '--save', save];
    // A real pipe: what Node makes for a child is a socket.
    const script = `"$0" "$@" | sha256sum`;
    const command = [process.execPath, built.script('headless'), ...args];
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
    const ended = spawnSync('sh', ['-c', script, ...command], { encoding: 'utf8', env });
    const file = join(folder, 'for-stdout.safetensors');
    await headless(...args.slice(0, -1), file).ended;
    expect(ended.stdout.split(' ')[0]).toBe(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
    await rm(file);
    expect(eventsOf(ended.stderr).map(({ event }) => event)).toEqual(['step', 'done']);
    if (process.platform === 'linux') expect((await lstat('/dev/stdout')).isSymbolicLink()).toBe(true);
  });

  // Catches: a refusal with a stack trace, with something on stdout, with another exit code, or with a file left behind.
  it.each([
    [['--engine', 'tensorflow'], 'npm run engine -- tensorflow sets it up'],
    [['--order', 'too-far.json'], 'too-far.json'],
    [['--init', 'short.safetensors'], 'short.safetensors'],
    [['--save', 'nowhere/out.safetensors'], 'cannot be written: its folder does not exist'],
    [['--save', 'read-only'], 'cannot be written: it is read-only'],
    [['--save', 'pipe'], 'cannot be written: it is a pipe that nobody reads'],
    [['--init', 'pipe'], 'cannot be read: it is a pipe'],
  ])('%j is refused with one sentence and exit code 2, and nothing is written', async (args, part) => {
    const [option = '', value = ''] = args;
    const path = option === '--engine' ? value : join(folder, value);
    const save = option === '--save' ? [] : ['--save', join(folder, 'refused.safetensors')];
    const before = await readdir(folder);
    const { code, stdout, stderr } = await headless(option, path, ...save, '--json').ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(part);
    expect(await readdir(folder)).toEqual(before);
  });

  // Catches: a Ctrl-C that waits for the epoch, exits as if all were well, saves half a run or leaves the trainer behind.
  it('ends at once on Ctrl-C, with exit code 130, no file and no process left', async () => {
    const save = join(folder, 'interrupted.safetensors');
    const running = headless('--steps', '100000', '--save', save, '--json');
    await running.line(/"event":"step"/);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).not.toContain('"done"');
    expect(await readdir(folder)).not.toContain('interrupted.safetensors');
  });

  // Catches: a trainer that goes on for ever when the shell is killed the hard way.
  it('leaves no trainer behind when it is killed', async () => {
    const running = headless('--steps', '100000', '--json');
    await running.line(/"event":"step"/);
    running.process.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
  });

  // Catches: a stack trace when `| head` closes the pipe.
  it('ends quietly when nobody reads it any more', async () => {
    const running = headless('--steps', '100000', '--json');
    await running.line(/"event":"step"/);
    running.process.stdout?.destroy();
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([141, '']);
  });
});
