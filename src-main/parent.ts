/** How often the parent is looked for, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** Names the parent to a program that is to end with it. */
export const PARENT_VARIABLE = 'GRADSCOPE_PARENT';

export interface ParentOf {
  /** As the system has it; another one when the first has gone, but not on Windows. */
  readonly ppid: number;
  /** What tells the process which program has started it. */
  readonly env: NodeJS.ProcessEnv;
  kill(pid: number, signal: 0): unknown;
}

/**
 * Calls back once when the program that has started this one and named itself in GRADSCOPE_PARENT has gone, however it went. Where
 * nobody has, as when a person opens the app, there is nobody to wait for. @returns what looks
 */
export function whenParentGoes(process: ParentOf, receiver: () => void): NodeJS.Timeout | undefined {
  const parent = Number(process.env[PARENT_VARIABLE] ?? '0');
  // Not for those that this process starts: each has a parent of its own.
  delete process.env['GRADSCOPE_PARENT'];
  if (!Number.isInteger(parent) || parent <= 0) return undefined;
  const firstPpid = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === firstPpid && isThere(process, parent)) return;
    clearInterval(timer);
    receiver();
  }, LOOK_EVERY_MS);
  return timer;
}

function isThere(process: ParentOf, pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
