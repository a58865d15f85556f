import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorLine, runNode } from './processes.mjs';
import { inProject, say } from './project.mjs';
import { readTextIfThere } from './read-text.mjs';

const FETCH_LIMIT_SECONDS = 90;

/**
 * Path of Electron's binary, or null while it has not been fetched. (The package's own index.js would fetch it, without
 * a limit of time.)
 */
export function electronBinary() {
  const { ELECTRON_OVERRIDE_DIST_PATH: given = '' } = process.env;
  const path = readTextIfThere(inProject('node_modules/electron/path.txt'));
  if (path === null) return null;
  const binary = join(given === '' ? inProject('node_modules/electron/dist') : given, path);
  return existsSync(binary) ? binary : null;
}

/**
 * Since version 42 the npm package brings no binary and fetches it when asked: about 120 MB.
 * @returns {Promise<{ binary: string } | { whyNot: string }>}
 */
export async function ensureElectron() {
  const there = electronBinary();
  if (there !== null) return { binary: there };
  say(`Fetching Electron's binary (once, about 120 MB, at most ${FETCH_LIMIT_SECONDS} seconds) ...`);
  const installer = inProject('node_modules/electron/install.js');
  const ended = await runNode([installer], { capture: true, timeoutMs: FETCH_LIMIT_SECONDS * 1000 });
  const binary = electronBinary();
  if (binary !== null && ended.code === 0) return { binary };
  if (ended.timedOut)
    return { whyNot: `Electron's binary was not here within ${FETCH_LIMIT_SECONDS} seconds` };
  return { whyNot: `Electron's binary could not be fetched (${errorLine(ended.output)})` };
}

/**
 * Why Electron would not start here, as far as one can know without trying; null: nothing known. Chromium's sandbox needs
 * user namespaces or its set-uid helper, and refuses root.
 * @param {string | null} binary
 * @returns {string | null}
 */
export function whyElectronCannotStart(binary) {
  if (process.platform !== 'linux') return null;
  if (process.getuid?.() === 0) return 'Electron does not start as root';
  if (!hasDisplay()) return 'there is no display';
  const closed = closedNamespaces();
  if (closed !== null && !hasSandboxHelper(binary))
    return `Electron's sandbox needs user namespaces (${closed})`;
  return null;
}

const hasDisplay = () => process.platform !== 'linux' || isSet('DISPLAY') || isSet('WAYLAND_DISPLAY');

/** @param {string} name */
const isSet = (name) => (process.env[name] ?? '') !== '';

/** @returns {string | null} the setting that closes them */
function closedNamespaces() {
  for (const [setting, closed] of [
    ['kernel/unprivileged_userns_clone', '0'],
    ['kernel/apparmor_restrict_unprivileged_userns', '1'],
    ['user/max_user_namespaces', '0'],
  ]) {
    const path = `/proc/sys/${setting ?? ''}`;
    if (readTextIfThere(path)?.trim() === closed) {
      return `${(setting ?? '').replaceAll('/', '.')} is ${closed}`;
    }
  }
  return null;
}

/** @param {string | null} binary */
function hasSandboxHelper(binary) {
  const helper = binary === null ? null : join(dirname(binary), 'chrome-sandbox');
  if (helper === null || !existsSync(helper)) return false;
  const { uid, mode } = statSync(helper);
  return uid === 0 && (mode & 0o4111) === 0o4111;
}
