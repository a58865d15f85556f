import { readdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

/** Every process and its parent. */
function parents(): Map<number, number> {
  const pairs = process.platform === 'linux' ? fromProc() : fromPs();
  return new Map(pairs);
}

function fromProc(): [number, number][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): [number, number][] => {
      const stat = readIfThere(`/proc/${name}/stat`);
      // pid (command, which may hold anything) state parent ...
      const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
      const [state, parent] = fields;
      return parent === undefined || state === 'Z' ? [] : [[Number(name), Number(parent)]];
    });
}

function fromPs(): [number, number][] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line): [number, number] => {
      const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
      return [pid, parent];
    });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export const childrenOf = (pid: number): number[] =>
  [...parents()].filter(([, parent]) => parent === pid).map(([child]) => child);

export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

export const isAlive = (pid: number): boolean => parents().has(pid);

/** Memory of a process that is in RAM, in MB. Linux only. */
export function residentMegabytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}
