import { ensureBuilt } from '../lib/build.mjs';
import { ensureInstalled } from '../lib/install.mjs';
import { runNode } from '../lib/processes.mjs';
import { inProject, runScript } from '../lib/project.mjs';

await runScript(async () => {
  await ensureInstalled();
  await ensureBuilt();
  const ended = await runNode([inProject('out/main/headless.js'), ...process.argv.slice(2)]);
  return ended.code;
});
