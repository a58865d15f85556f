import type { Socket } from 'node:net';

export interface StrangerLimits {
  /** So many connections may be strangers at once; the oldest one makes room for the next. */
  readonly count: number;
  /** How long a connection may stay a stranger, in milliseconds. */
  readonly milliseconds: number;
}

/**
 * Every connection of a server. One is a stranger from its first moment until it has shown that it is let in. A new connection is
 * never turned away for the sake of strangers that are there already, so they cannot lock anybody out.
 */
export class Connections {
  private readonly limits: StrangerLimits;
  private readonly all = new Set<Socket>();
  /** Oldest first. */
  private readonly strangers = new Map<Socket, NodeJS.Timeout>();

  constructor(limits: StrangerLimits) {
    this.limits = limits;
  }

  get strangerCount(): number {
    return this.strangers.size;
  }

  add(socket: Socket): void {
    this.all.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.limits.milliseconds);
    this.strangers.set(socket, timer);
    socket.once('close', () => {
      this.all.delete(socket);
      this.know(socket);
    });
    if (this.strangers.size > this.limits.count) {
      for (const [oldest] of this.strangers) {
        this.know(oldest);
        oldest.destroy();
        break;
      }
    }
  }

  /** It is no stranger any more. */
  know(socket: Socket): void {
    clearTimeout(this.strangers.get(socket));
    this.strangers.delete(socket);
  }

  destroyAll(): void {
    for (const socket of this.all) socket.destroy();
  }
}
