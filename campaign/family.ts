import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A process of a family. */
export interface Member {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments, as the system shows them. */
  readonly command: string;
}

/** The mark of a family in the environment of its members. */
const VARIABLE = 'GRADSCOPE_FAMILY';
const LOOK_EVERY_MS = 20;
const LOOK_AT_PROCESSES_EVERY_MS = 100;

/** A program and everything that it starts, however deep, also what outlives its parent: all carry a mark in their environment. */
export class Family {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What all of it has said on stderr. */
  stderr = '';
  private stdout = '';
  private readonly mark: string;
  private static readonly all: Family[] = [];

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
    if (Family.all.length === 0) killAllOnSignal(Family.all);
    const value = `${String(process.pid)}-${String(Family.all.push(this))}`;
    this.mark = `${VARIABLE}=${value}`;
    this.process = spawn(command, [...args], {
      cwd,
      env: { ...process.env, ...env, [VARIABLE]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (this.process.pid === undefined) throw new Error(`${command} does not start.`);
    this.pid = this.process.pid;
    this.process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** What the line on stdout that matches says in its first group; undefined when it does not come in time, or never can. */
  async said(line: RegExp, limitMs: number): Promise<string | undefined> {
    const found = (): string | undefined => line.exec(this.stdout)?.[1];
    await waitFor(() => found() !== undefined || this.hasEnded, limitMs);
    return found();
  }

  /** Who is there now. Processes that have ended and were not fetched by their parent yet are not. */
  members(): Member[] {
    return process.platform === 'linux' ? this.membersOnLinux() : this.membersByPs();
  }

  /** The first member whose command matches. */
  find(command: RegExp): Member | undefined {
    return this.members().find((member) => command.test(member.command));
  }

  /** Who is still there when they should all have gone; waits for them as long as that takes, up to the limit. */
  async left(limitMs: number): Promise<Member[]> {
    await waitFor(() => this.members().length === 0, limitMs, LOOK_AT_PROCESSES_EVERY_MS);
    return this.members();
  }

  killAll(): void {
    for (const { pid } of this.members()) signal(pid, 'SIGKILL');
  }

  private membersOnLinux(): Member[] {
    const mark = `\0${this.mark}\0`;
    const members: Member[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const environment = `\0${readFileSync(`/proc/${name}/environ`, 'latin1')}\0`;
        if (!environment.includes(mark)) continue;
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z' || state === 'X') continue;
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        members.push({ pid: Number(name), parent: Number(parent), command });
      } catch {
        // It has ended meanwhile, or is somebody else's.
      }
    }
    return members;
  }

  private membersByPs(): Member[] {
    const { stdout } = spawnSync('ps', ['-axEww', '-o', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => {
      const [, pid, parent, state = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      if (!`${command} `.includes(` ${this.mark} `) || state.startsWith('Z')) return [];
      return [{ pid: Number(pid), parent: Number(parent), command }];
    });
  }
}

/** A campaign that is broken off leaves nobody behind: npm, which watches no parent, would stay. */
function killAllOnSignal(all: readonly Family[]): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      for (const family of all) family.killAll();
      process.kill(process.pid, name);
    });
  }
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Whether it came to be within the limit. */
export async function waitFor(
  isSo: () => boolean,
  limitMs: number,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const begunMs = performance.now();
  while (!isSo()) {
    if (performance.now() - begunMs > limitMs) return false;
    await wait(lookEveryMs);
  }
  return true;
}

/** Runs the tasks, so many at once. */
export async function inTurns<T>(
  tasks: readonly T[],
  atOnce: number,
  run: (task: T) => Promise<void>,
): Promise<void> {
  const left = [...tasks];
  const worker = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) await run(task);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
