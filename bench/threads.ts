import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { descendantsOf } from '../e2e/support/processes';

/** A thread of a process and the CPU time it has had, ms. */
export interface ThreadTime {
  readonly pid: number;
  readonly tid: number;
  readonly milliseconds: number;
}

/** Every thread of a process and of what it started. Linux only: elsewhere there are none to be seen. */
export function threadsOf(pid: number): ThreadTime[] {
  if (process.platform !== 'linux') return [];
  return [pid, ...descendantsOf(pid)].flatMap((process) =>
    listed(`/proc/${String(process)}/task`).flatMap((task): ThreadTime[] => {
      // Nanoseconds on a core, nanoseconds waiting for one, turns.
      const [onCore] = read(`/proc/${String(process)}/task/${task}/schedstat`)?.split(' ') ?? [];
      if (onCore === undefined) return [];
      return [{ pid: process, tid: Number(task), milliseconds: Number(onCore) / 1e6 }];
    }),
  );
}

/** Whether threads can be told which core to run on. */
export const canPin = (): boolean =>
  process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;

/**
 * Every thread of these processes and of what they started; threads made later do as the one that makes them.
 * @param cores as taskset lists them: `0`, `1-3`
 */
export function pinProcesses(pids: readonly number[], cores: string): void {
  for (const pid of pids.flatMap((root) => [root, ...descendantsOf(root)])) taskset('-a', cores, pid);
}

export function pinThread(tid: number, cores: string): void {
  taskset('', cores, tid);
}

function taskset(option: string, cores: string, id: number): void {
  // What ended meanwhile is no matter.
  spawnSync('taskset', [...(option === '' ? [] : [option]), '-p', '-c', cores, String(id)]);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
