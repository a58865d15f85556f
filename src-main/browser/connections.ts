import type { Socket } from 'node:net';

export interface StrangerLimits {
  /** So many connections may be strangers; past that those whose time to speak is over make room. */
  readonly count: number;
  /** How long a new connection has to speak before it makes room, in milliseconds. */
  readonly toSpeakMs: number;
  /** So many at once in any case; past that the oldest one makes room, however new it is. */
  readonly most: number;
  /** How long a connection may stay a stranger, in milliseconds. */
  readonly milliseconds: number;
}

interface Stranger {
  readonly sinceMs: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Every connection of a server. One is a stranger from its first moment until it has shown that it is let in. A new connection is
 * never turned away for the sake of strangers that are there already, so they cannot lock anybody out; and it has time to speak before
 * it makes room itself, so a flood of them cannot either. Those that have said nothing make room first.
 */
export class Connections {
  private readonly limits: StrangerLimits;
  private readonly now: () => number;
  private readonly all = new Set<Socket>();
  /** Nothing had come from them when they were last looked at. Both: oldest first. */
  private readonly silent = new Map<Socket, Stranger>();
  private readonly speaking = new Map<Socket, Stranger>();

  /** @param now milliseconds, from any beginning */
  constructor(limits: StrangerLimits, now: () => number = () => performance.now()) {
    this.limits = limits;
    this.now = now;
  }

  get strangerCount(): number {
    return this.silent.size + this.speaking.size;
  }

  add(socket: Socket): void {
    this.all.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.limits.milliseconds);
    this.silent.set(socket, { sinceMs: this.now(), timer });
    socket.once('close', () => {
      this.all.delete(socket);
      this.know(socket);
    });
    while (this.strangerCount > this.limits.count) {
      const leaving = this.nextToLeave(socket);
      if (leaving === undefined) break;
      this.know(leaving);
      leaving.destroy();
    }
  }

  /** It is no stranger any more. */
  know(socket: Socket): void {
    clearTimeout((this.silent.get(socket) ?? this.speaking.get(socket))?.timer);
    this.silent.delete(socket);
    this.speaking.delete(socket);
  }

  destroyAll(): void {
    for (const socket of this.all) socket.destroy();
  }

  /** Undefined: everybody may stay. */
  private nextToLeave(newest: Socket): Socket | undefined {
    const oldest = [this.oldestSilent(newest), first(this.speaking)].filter((found) => found !== undefined);
    const over = oldest.find(([, { sinceMs }]) => this.now() - sinceMs >= this.limits.toSpeakMs);
    return (over ?? (this.strangerCount > this.limits.most ? oldest[0] : undefined))?.[0];
  }

  /** Each one that has spoken is passed by once: it moves to the others, so that a flood costs no search. */
  private oldestSilent(newest: Socket): [Socket, Stranger] | undefined {
    for (const [socket, stranger] of this.silent) {
      if (socket === newest) return undefined;
      if (socket.bytesRead === 0) return [socket, stranger];
      this.silent.delete(socket);
      this.speaking.set(socket, stranger);
    }
    return undefined;
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): [K, V] | undefined {
  for (const entry of map) return entry;
  return undefined;
}
