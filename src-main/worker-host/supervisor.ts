import { GradscopeError, type ErrorCode } from '../../src-shared/protocol/errors';

/** How a process ended; `error` when it never started. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: string;
}

/** What supervision needs of a process, whoever spawned it. */
export interface SupervisedProcess {
  /** Calls back once, after everything the process sent has been delivered. */
  onExit(receiver: (exit: ProcessExit) => void): void;
  /** Lets it end of its own accord. */
  requestEnd(): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** One process from spawn to exit. `ended` settles once and never rejects. */
export interface Life<P> {
  readonly generation: number;
  readonly process: P;
  readonly ended: Promise<Reason>;
}

export interface SupervisorOptions<P> {
  readonly spawn: () => P;
  /** How long a process that was asked to end, and then one that was sent SIGTERM, may take, in milliseconds. */
  readonly graceMs?: number;
}

const DEFAULT_GRACE_MS = 2_000;

/**
 * Keeps at most one trainer process alive. A process that died is not replaced until somebody asks for one again: a
 * restart loses a run, so it is never done in secret.
 */
export class Supervisor<P extends SupervisedProcess> {
  private readonly spawn: () => P;
  private readonly graceMs: number;
  private current: Life<P> | undefined;
  private generation = 0;
  private stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions<P>) {
    this.spawn = options.spawn;
    this.graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
  }

  /**
   * The live process; a new one when there is none.
   * @throws GradscopeError `closed` after stop().
   */
  live(): Life<P> {
    if (this.stopped !== undefined) throw new GradscopeError('closed', 'Gradscope is closing.');
    this.current ??= this.start();
    return this.current;
  }

  /**
   * Ends the process for good: asked first, then SIGTERM, then SIGKILL. Resolves when there is none any more, or when the system
   * has not ended it some seconds after SIGKILL.
   */
  stop(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private start(): Life<P> {
    const process = this.spawn();
    this.generation += 1;
    const ended = new Promise<Reason>((resolve) => {
      process.onExit((exit) => {
        this.current = undefined;
        resolve(
          this.stopped === undefined
            ? { code: 'worker-died', message: describeExit(exit) }
            : { code: 'closed', message: 'Gradscope was closed.' },
        );
      });
    });
    return { generation: this.generation, process, ended };
  }

  private async end(): Promise<void> {
    const life = this.current;
    if (life === undefined) return;
    let giveUp: () => void = () => undefined;
    const givenUp = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const timers = [
      setTimeout(() => {
        life.process.kill('SIGTERM');
      }, this.graceMs),
      setTimeout(() => {
        life.process.kill('SIGKILL');
      }, 2 * this.graceMs),
      setTimeout(giveUp, 3 * this.graceMs),
    ];
    life.process.requestEnd();
    await Promise.race([life.ended, givenUp]);
    timers.forEach(clearTimeout);
  }
}

const OUT_OF_MEMORY = 'most likely because it got no more memory (ulimit -v, or a heap that is full)';
/** How V8 ends a process that gets no memory, by platform and version, and how Linux ends one when the machine has none left. */
const CAUSES: Readonly<Record<string, string>> = {
  SIGTRAP: OUT_OF_MEMORY,
  SIGABRT: OUT_OF_MEMORY,
  SIGILL: OUT_OF_MEMORY,
  SIGKILL: 'as the system does when the machine has no memory left',
};

/** One sentence for people that names what ended the trainer process. */
export function describeExit(exit: ProcessExit): string {
  if (exit.error !== undefined) return `The trainer process could not be started: ${exit.error}.`;
  if (exit.signal !== null) {
    const why = CAUSES[exit.signal];
    return `The trainer process was ended by ${exit.signal}${why === undefined ? '' : `, ${why}`}.`;
  }
  return `The trainer process ended with exit code ${String(exit.code)}.`;
}
