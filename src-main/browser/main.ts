import { fileURLToPath } from 'node:url';
import { forkTrainer } from '../worker-host/forked-trainer';
import { RelayHost } from '../worker-host/relay-host';
import { Supervisor } from '../worker-host/supervisor';
import { readPageFiles } from '../page/page-files';
import { runProgram } from '../program';
import { openPage, whyNoWindow } from './open-page';
import { parseBrowserOptions, startBrowserShell } from './shell';

/** @param entry address of the built program, beside which the worker lies */
export const main = (entry: string): Promise<void> =>
  runProgram(async ({ interrupted, say }) => {
    const built = (path: string): string => fileURLToPath(new URL(path, entry));
    const options = parseBrowserOptions(process.argv.slice(2));
    const page = await readPageFiles(built('../renderer'));
    const host = new RelayHost(new Supervisor({ spawn: () => forkTrainer(built('worker.js')) }));
    const shell = await startBrowserShell(page, host, options.port);
    process.stdout.write(`Gradscope is ready at ${shell.server.address}\n`);
    if (options.open && whyNoWindow() === undefined) {
      const cannotOpen = (sentence: string): void => {
        say(`${sentence} Open the address above yourself.`);
      };
      await openPage(shell.server.newBrowserAddress(), cannotOpen).catch(() => {
        cannotOpen('There is no browser to open.');
      });
    }
    try {
      await interrupted;
    } finally {
      await shell.close();
    }
    return 0;
  });
