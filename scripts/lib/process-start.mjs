import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process began, in whatever form its system tells it. Process ids are used again; an id with its start time is
 * not, so the two together tell whether a process is still the one that was meant.
 * @param {number} pid
 * @returns {string | null} null: there is no such process, or the system does not tell
 */
export function processStart(pid) {
  try {
    if (process.platform === 'linux') return linuxStart(pid);
    if (process.platform === 'win32') {
      const command = `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToFileTimeUtc()`;
      return output('powershell', ['-NoProfile', '-NonInteractive', '-Command', command]);
    }
    return output('ps', ['-o', 'lstart=', '-p', String(pid)]);
  } catch {
    return null;
  }
}

/**
 * Clock ticks since the machine started, with the id of that start, since ticks begin anew.
 * @param {number} pid
 */
function linuxStart(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses and may contain spaces; the start time is field 22.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${ticks}@${boot}`;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function output(command, args) {
  const text = execFileSync(command, [...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
    // What it says depends on neither language nor time zone of whoever asks.
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  }).trim();
  return text === '' ? null : text;
}
