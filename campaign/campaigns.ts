import type { Campaign } from './campaign';
import { run as files } from './files';
import { run as kills } from './kills';
import { run as messages } from './messages';
import { run as orphans } from './orphans';
import { run as sockets } from './sockets';

/** Signals and families of processes are tried where there are both. */
const ofProcesses: Readonly<Record<string, Campaign>> =
  process.platform === 'win32' ? {} : { kills, orphans };

/** Every campaign by its name, in the order in which they run. */
export const CAMPAIGNS: Readonly<Record<string, Campaign>> = { messages, files, ...ofProcesses, sockets };
