import { fileURLToPath } from 'node:url';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  protocol,
  session,
  utilityProcess,
} from 'electron';
import { readPageFiles } from '../page/page-files';
import { startDesktop } from './desktop';

const built = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Not awaited: Electron is not ready before this module has been evaluated to its end, and startDesktop waits for that.
void startDesktop({
  electron: {
    app,
    BrowserWindow,
    dialog,
    ipcMain,
    Menu,
    MessageChannelMain,
    protocol,
    session,
    utilityProcess,
  },
  worker: built('worker.js'),
  preload: built('../preload/preload.cjs'),
  readPage: () => readPageFiles(built('../renderer')),
  platform: process.platform,
  process,
  killHard: (pid) => {
    process.kill(pid, 'SIGKILL');
  },
});
