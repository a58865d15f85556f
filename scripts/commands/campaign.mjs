import { ensureBuilt } from '../lib/build.mjs';
import { ensureInstalled } from '../lib/install.mjs';
import { inProject, runScript } from '../lib/project.mjs';

await runScript(async () => {
  await ensureInstalled();
  await ensureBuilt();
  const { runnerImport } = await import('vite');
  await runnerImport(inProject('campaign/main.ts'));
  return Number(process.exitCode ?? 0);
});
