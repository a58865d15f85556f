import { ensureBuilt } from '../lib/build.mjs';
import { ensureChromium } from '../lib/chromium.mjs';
import { ensureInstalled } from '../lib/install.mjs';
import { inProject, quoted, Refusal, runScript } from '../lib/project.mjs';

const BENCHMARKS = ['main', 'watching', 'memory', 'leak', 'start-time', 'paper-table', 'floods'];

await runScript(async () => {
  const name = process.argv[2] ?? '';
  if (!BENCHMARKS.includes(name)) {
    throw new Refusal(`There is no benchmark ${quoted(name)}; there is ${BENCHMARKS.join(', ')}.`, 2);
  }
  await ensureInstalled();
  await ensureBuilt();
  await ensureChromium();
  // The benchmark reads its own options.
  process.argv.splice(2, 1);
  const { runnerImport } = await import('vite');
  await runnerImport(inProject(`bench/${name}.ts`));
  return Number(process.exitCode ?? 0);
});
