import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-program-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: fileURLToPath(new URL('program.ts', import.meta.url)),
      outDir: folder,
      emptyOutDir: true,
      rolldownOptions: { output: { entryFileNames: 'program.mjs' } },
    },
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

// Catches: lines that are lost, with exit code 0, because the reader took a pause.
it('ends when everything that it printed was taken', async () => {
  const lines = 50_000;
  const code = `
    const { runProgram } = await import(${JSON.stringify(join(folder, 'program.mjs'))});
    await runProgram(async () => {
      for (let line = 1; line <= ${String(lines)}; line += 1) process.stdout.write('line ' + line + '\\n');
      // Later than a program may be kept alive by what it has left open.
      setTimeout(() => process.stderr.write('still here'), 1_500);
      return 0;
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  // Nobody reads stdout before.
  await Promise.race([once(child.stderr, 'data'), exited]);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child.stdout, 'end');
  expect(await exited).toEqual([0, null]);
  expect(said.split('\n')).toHaveLength(lines + 1);
});
