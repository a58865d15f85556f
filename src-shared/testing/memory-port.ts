import type { Port, WireMessage } from '../protocol/port';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** Two joined ports in one process that clone what they carry and deliver it later, as a real transport does. */
export function memoryPortPair(): [Port, Port] {
  const first = new MemoryPort();
  const second = new MemoryPort();
  first.peer = second;
  second.peer = first;
  return [first, second];
}

class MemoryPort implements Port {
  peer: MemoryPort | undefined;
  readonly bufferedBytes = 0;
  private waiting: unknown[] = [];
  private receiver: ((message: unknown) => void) | undefined;
  private closed: Reason | undefined;
  private closeReceivers: ((reason: Reason) => void)[] = [];

  send(message: WireMessage): void {
    if (this.closed !== undefined) return;
    // Through JSON where the message is an object: what a WebSocket would lose (undefined, NaN, typed arrays), this loses too.
    const copy: unknown =
      message instanceof Uint8Array
        ? message.slice()
        : typeof message === 'string'
          ? message
          : (JSON.parse(JSON.stringify(message)) as unknown);
    const { peer } = this;
    queueMicrotask(() => peer?.deliver(copy));
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    this.receiver = receiver;
    const early = this.waiting;
    this.waiting = [];
    for (const message of early) receiver(message);
    return () => {
      if (this.receiver === receiver) this.receiver = undefined;
    };
  }

  onClose(receiver: (reason: Reason) => void): () => void {
    const { closed } = this;
    if (closed !== undefined) {
      queueMicrotask(() => {
        receiver(closed);
      });
      return () => undefined;
    }
    this.closeReceivers.push(receiver);
    return () => {
      this.closeReceivers = this.closeReceivers.filter((other) => other !== receiver);
    };
  }

  close(reason: Reason = { code: 'closed', message: 'The other side closed the connection.' }): void {
    this.settle(reason);
    const { peer } = this;
    queueMicrotask(() => peer?.settle(reason));
  }

  private deliver(message: unknown): void {
    if (this.closed !== undefined) return;
    if (this.receiver === undefined) this.waiting.push(message);
    else this.receiver(message);
  }

  private settle(reason: Reason): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    const receivers = this.closeReceivers;
    this.closeReceivers = [];
    for (const receiver of receivers) receiver(reason);
  }
}
