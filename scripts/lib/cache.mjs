import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Folder for what is too large for a clone and outlives it. The trainer looks in the same one
 * (src-worker/engine/tensorflow/set-up.ts).
 */
export function cacheFolder() {
  const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: windows = '' } = process.env;
  if (xdg !== '') return join(xdg, 'gradscope');
  if (process.platform === 'win32' && windows !== '') return join(windows, 'gradscope');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'gradscope');
  return join(homedir(), '.cache', 'gradscope');
}
