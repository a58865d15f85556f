import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms, type BuiltPrograms } from '../testing/built-programs';

let built: BuiltPrograms;
let folder: string;
beforeAll(async () => {
  built = await buildPrograms();
  folder = mkdtempSync(join(tmpdir(), 'gradscope-limits-'));
});
afterAll(() => {
  built.remove();
  rmSync(folder, { recursive: true });
});

/** Runs the headless shell from a POSIX shell that sets a limit first. */
const under = (limit: string, redirection = ''): { code: number | null; stdout: string; stderr: string } => {
  const command = `${limit}; exec "$0" "$1" --steps 60 --engine simd --json ${redirection}`;
  const { status, stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', command, process.execPath, built.script('headless')],
    { encoding: 'utf8', cwd: folder, env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } },
  );
  return { code: status, stdout, stderr };
};
const lines = (text: string): string[] => text.trimEnd().split('\n');

describe.skipIf(process.platform === 'win32')('on a machine that gives little', () => {
  // Catches: a hundred files opened at once at the start, where a user may have 64.
  it('runs with 64 open files', () => {
    const { code, stdout, stderr } = under('ulimit -n 64');
    expect([code, stderr]).toEqual([0, '']);
    expect(lines(stdout)).toHaveLength(61);
  });

  // Catches: a stack trace, as the modules of a program are opened before any of them could say what is wrong.
  // Node itself needs 18. A worker that does load waits for its host.
  it.each(['headless', 'browser', 'worker'])('says of %s that it may open too few files', (program) => {
    const command = 'ulimit -n 20; exec "$0" "$1"';
    const args = ['-c', command, process.execPath, built.script(program)];
    const { status, stdout, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8', timeout: 60_000 });
    const said = 'Gradscope cannot be loaded: this process may not open more files (ulimit -n).\n';
    expect([status, stdout, stderr]).toEqual([1, '', said]);
  });

  // Catches: exit code 141 without a word, as if the reader had gone. A file that may not grow stands for a full disk.
  it('says that its output cannot be written', () => {
    const { code, stderr } = under("trap '' XFSZ; ulimit -f 1", '> full.jsonl');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^The output cannot be written\. .*\(EFBIG\)\.\n$/);
    expect(readFileSync(join(folder, 'full.jsonl')).length).toBeGreaterThan(0);
  });

  it('ends silently when its reader has gone', () => {
    const { code, stdout, stderr } = under(':', '| head -n 1');
    expect([code, stderr]).toEqual([0, '']);
    expect(lines(stdout)).toHaveLength(1);
  });

  // Catches: "Something unforeseen went wrong" with a stack trace.
  it.skipIf(process.platform !== 'linux')('names the engine that gets no memory', () => {
    const { code, stdout, stderr } = under('ulimit -v 3000000');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^The engine simd cannot load: .*\(ulimit -v\)\.\n$/);
  });

  // Catches: the name of a signal alone, which says nothing to the person.
  it.skipIf(process.platform !== 'linux')('names memory where V8 itself gets none', () => {
    const { code, stderr } = under('ulimit -v 1000000');
    expect(code).toBe(1);
    expect(lines(stderr).at(-1)).toMatch(
      /^The trainer process was ended by SIG(TRAP|ABRT|ILL), most likely because it got no more memory \(.*\)\.$/,
    );
  });
});
