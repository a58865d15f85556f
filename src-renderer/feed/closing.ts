import type { ErrorCode } from '../../src-shared/protocol/errors';

export interface CloseReason {
  readonly code: string;
  readonly message: string;
}

/** The receiving half of a Port: keeps what comes before there is a receiver, and tells of the end once. */
export class Inbox {
  private waiting: unknown[] = [];
  private receiver: ((message: unknown) => void) | null = null;
  private reason: CloseReason | null = null;
  private closeReceivers: ((reason: CloseReason) => void)[] = [];

  get closed(): boolean {
    return this.reason !== null;
  }

  deliver(message: unknown): void {
    if (this.closed) return;
    if (this.receiver === null) this.waiting.push(message);
    else this.receiver(message);
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    this.receiver = receiver;
    const early = this.waiting;
    this.waiting = [];
    for (const message of early) receiver(message);
    return () => {
      if (this.receiver === receiver) this.receiver = null;
    };
  }

  onClose(receiver: (reason: CloseReason) => void): () => void {
    const { reason } = this;
    if (reason === null) this.closeReceivers.push(receiver);
    else {
      queueMicrotask(() => {
        receiver(reason);
      });
    }
    return () => {
      this.closeReceivers = this.closeReceivers.filter((other) => other !== receiver);
    };
  }

  close(reason: CloseReason): void {
    if (this.closed) return;
    this.reason = reason;
    const receivers = this.closeReceivers;
    this.closeReceivers = [];
    for (const receiver of receivers) receiver(reason);
  }
}

export const closeReason = (code: ErrorCode, message: string): CloseReason => ({ code, message });
