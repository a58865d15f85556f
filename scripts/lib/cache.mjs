import { homedir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from './project.mjs';

/**
 * Folder for what is too large for a clone and outlives it. The trainer looks in the same one
 * (src-worker/cache-folder.ts).
 * @throws {Refusal} when there is no such place
 */
export function cacheFolder() {
  const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: windows = '' } = process.env;
  if (xdg !== '') return join(xdg, 'gradscope');
  if (process.platform === 'win32' && windows !== '') return join(windows, 'gradscope');
  const home = homeFolder();
  if (home === '')
    throw new Refusal('There is no home folder to keep it in: set XDG_CACHE_HOME to a folder.');
  return join(home, ...(process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']), 'gradscope');
}

/** Empty for a user whom the system does not know. */
function homeFolder() {
  try {
    return homedir();
  } catch {
    return '';
  }
}
