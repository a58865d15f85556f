import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { childrenOf, descendantsOf } from './processes';

const READY = /^Gradscope is ready at (\S+)$/;
const builtShell = fileURLToPath(new URL('../../out/main/browser.js', import.meta.url));

/** The built browser shell, started as a person would start it. */
export class BrowserShell {
  /** With the token. */
  readonly address: string;
  readonly pid: number;
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess, address: string, pid: number) {
    this.process = process;
    this.address = address;
    this.pid = pid;
  }

  /**
   * @param environment what it has beside ours
   * @param options it opens a browser without `--no-open`
   */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    options: readonly string[] = ['--no-open'],
  ): Promise<BrowserShell> {
    const child = spawn(process.execPath, [builtShell, '--port', '0', ...options], {
      env: { ...process.env, GRADSCOPE_PARENT: String(process.pid), ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const address = READY.exec(line)?.[1];
      if (address === undefined || child.pid === undefined) continue;
      child.stdout.resume();
      return new BrowserShell(child, address, child.pid);
    }
    throw new Error(`The browser shell ended before it was ready; it said: ${lines.join('\n')}`);
  }

  /** The process in which training runs. */
  get trainerPid(): number {
    const [pid, ...others] = childrenOf(this.pid);
    if (pid === undefined || others.length > 0) {
      throw new Error(
        `The shell should have one child process, but it has ${String(others.length + (pid === undefined ? 0 : 1))}.`,
      );
    }
    return pid;
  }

  /** Of the printed address. */
  get token(): string {
    return new URL(this.address).searchParams.get('token') ?? '';
  }

  get hasTrainer(): boolean {
    return childrenOf(this.pid).length > 0;
  }

  /** Ends it as CTRL-C or a service manager would. Returns the processes that must now be gone. */
  async stop(): Promise<number[]> {
    const family = [this.pid, ...descendantsOf(this.pid)];
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await ended;
    }
    return family;
  }
}
