import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/**
 * Commands for a thread that never returns to its event loop. Beside the port that carries them there is one shared
 * integer, the number of commands posted so far, so that a gate passed at full speed costs a single atomic load and a
 * thread with nothing to do can sleep on it.
 */
export interface Mailbox<T> {
  /** Whether commands were posted since `take` last found nothing. */
  hasMail(): boolean;
  /** The next command, or undefined when there is none. Does not block. */
  take(): T | undefined;
  /** Blocks the thread until there is mail or `timeoutMs` has passed. */
  wait(timeoutMs: number): void;
}

/** The receiving end. @param posted one Int32 in shared memory. */
export class SharedMailbox<T> implements Mailbox<T> {
  private readonly port: MessagePort;
  private readonly posted: Int32Array<SharedArrayBuffer>;
  private seen = 0;

  constructor(port: MessagePort, posted: Int32Array<SharedArrayBuffer>) {
    this.port = port;
    this.posted = posted;
  }

  hasMail(): boolean {
    return Atomics.load(this.posted, 0) !== this.seen;
  }

  take(): T | undefined {
    // The count is read before the port: a command posted between the two is taken now, and its count only makes the
    // next `hasMail` look once more in vain.
    const posted = Atomics.load(this.posted, 0);
    const received = receiveMessageOnPort(this.port) as { message: T } | undefined;
    if (received === undefined) this.seen = posted;
    return received?.message;
  }

  wait(timeoutMs: number): void {
    Atomics.wait(this.posted, 0, this.seen, timeoutMs);
  }
}

/** The sending end, on the thread that has an event loop. */
export class MailboxSender<T> {
  private readonly port: MessagePort;
  private readonly posted: Int32Array<SharedArrayBuffer>;

  constructor(port: MessagePort, posted: Int32Array<SharedArrayBuffer>) {
    this.port = port;
    this.posted = posted;
  }

  /** `transfer`: buffers that may be moved instead of copied; they are gone here afterwards. */
  post(message: T, transfer: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, transfer);
    Atomics.add(this.posted, 0, 1);
    Atomics.notify(this.posted, 0);
  }
}

export const sharedCounter = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4));
