import open, { apps, openApp } from 'open';

/** Where a window would appear, or why none can. */
export function whyNoWindow(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (platform === 'linux') {
    const hasDisplay = [environment['DISPLAY'], environment['WAYLAND_DISPLAY']].some(
      (display) => display !== undefined && display !== '',
    );
    return hasDisplay ? undefined : 'there is no display';
  }
  return environment['SSH_CONNECTION'] === undefined ? undefined : 'this is an SSH session';
}

/**
 * Shows the page in a window of its own where Chrome or Chromium is installed (CHROME_PATH names another one), else in
 * the default browser.
 * @param onFailure - hears in one sentence of a browser that ended with an error, now or later.
 * @throws Error when there is nothing to open it with.
 */
export async function openPage(address: string, onFailure: (sentence: string) => void): Promise<void> {
  const linux = process.platform === 'linux';
  const isRoot = linux && process.getuid?.() === 0;
  const { CHROME_PATH: chosen } = process.env;
  const chrome = [apps.chrome].flat();
  for (const name of chosen === undefined ? chrome : [chosen, ...chrome]) {
    try {
      // Given one name, open() resolves as soon as it has been spawned; given a list, when the launcher has ended, which
      // is what tells a missing Chrome on macOS and Windows, but on Linux would be the browser itself.
      const browser = await openApp(linux ? name : [name], {
        // Chromium refuses to run as root inside its sandbox. The window holds this page alone, under its content policy.
        // A window holds as much as the whole page needs; where the screen is smaller, the system makes it fit.
        arguments: [`--app=${address}`, '--window-size=1440,940', ...(isRoot ? ['--no-sandbox'] : [])],
        // Without it, macOS brings a running Chrome to the front and drops the arguments.
        newInstance: true,
      });
      browser.once('exit', (code) => {
        if (code !== 0 && code !== null) onFailure(`${name} ended with exit code ${String(code)}.`);
      });
      return;
    } catch {
      // Not installed under this name.
    }
  }
  await open(address);
}
