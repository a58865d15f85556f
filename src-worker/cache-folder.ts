import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Folder of this user for what outlives the program and can be made again; null: there is no such place. The same as in
 * scripts/lib/cache.mjs, which runs before anything can be compiled.
 * @param home of the user; empty: there is none
 */
export function cacheFolder(
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homeFolder(),
): string | null {
  const { XDG_CACHE_HOME: xdg = '', LOCALAPPDATA: windows = '' } = environment;
  if (xdg !== '') return join(xdg, 'gradscope');
  if (platform === 'win32' && windows !== '') return join(windows, 'gradscope');
  if (home === '') return null;
  return join(home, ...(platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']), 'gradscope');
}

/** Empty for a user whom the system does not know. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
