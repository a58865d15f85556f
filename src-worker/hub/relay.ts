import {
  countedBytes,
  type RelayToHost,
  relayToTrainerSchema,
} from '../../src-shared/protocol/host-messages';
import type { Port, WireMessage } from '../../src-shared/protocol/port';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** The IPC channel to the process that forked this one. `sent` is called when the message has left. */
export interface HostChannel {
  send(message: RelayToHost, sent: () => void): unknown;
  onMessage(receiver: (message: unknown) => void): unknown;
}

/** Calls back with a port for every client that the host opens; all their messages come over the one channel. */
export function listenToRelay(channel: HostChannel, onClient: (port: Port) => void): void {
  const clients = new Map<number, RelayPort>();
  const rests: Rests = { count: 0 };
  channel.onMessage((raw) => {
    const message = relayToTrainerSchema.safeParse(raw).data;
    if (message === undefined) {
      // A fault of the host, and no reason to end the run.
      console.error('The host sent something that is no message of a client.');
      return;
    }
    const { client } = message;
    if (message.event === 'open') {
      if (clients.has(client)) return;
      const port = new RelayPort(client, channel, message.counted === true, rests, () =>
        clients.delete(client),
      );
      clients.set(client, port);
      onClient(port);
    } else if (message.event === 'message') clients.get(client)?.deliver(message.data);
    else if (message.event === 'sent') clients.get(client)?.sent(message.bytes);
    else clients.get(client)?.lost();
  });
}

/** So many messages of one client at once are no hand's work. */
const A_FLOOD = 32;
/** Between two pieces of a flood, ms: what reads and refuses them leaves most of a core to training. */
const FLOOD_PAUSE_MS = 40;
/** A client is read on after so many times the time that reading it has taken, and all clients that rest share that. */
const REST_PER_READING = 4;
/** Bytes for which it rests a ms at least: what is on its way holds up what others say, on the one channel that there is. */
const BYTES_PER_REST_MS = 20_000;
/** But never longer, ms: what it says after that may be a person's. */
const LONGEST_REST_MS = 1000;
/** No shorter rest is worth a timer, ms. */
const SHORTEST_REST_MS = 5;

/** Clients that are not read on yet as reading them took long. */
interface Rests {
  count: number;
}

class RelayPort implements Port {
  private readonly client: number;
  private readonly channel: HostChannel;
  private readonly onEnd: () => void;
  private receiver: ((message: unknown) => void) | undefined;
  private early: unknown[] = [];
  private closeReceivers = new Set<(reason: Reason) => void>();
  private closed: Reason | undefined;
  private buffered = 0;
  private readonly counted: boolean;
  private readonly rests: Rests;
  private drainReceiver: (() => void) | undefined;
  /** Messages read that the host was not told of. */
  private untold = 0;
  private lastTold = 0;
  /** Reading them took so long, ms. */
  private readingMs = 0;
  private readBytes = 0;

  constructor(client: number, channel: HostChannel, counted: boolean, rests: Rests, onEnd: () => void) {
    this.client = client;
    this.channel = channel;
    this.counted = counted;
    this.rests = rests;
    this.onEnd = onEnd;
  }

  get bufferedBytes(): number {
    return this.buffered;
  }

  send(message: WireMessage): void {
    if (this.closed !== undefined) return;
    const bytes = countedBytes(message);
    this.buffered += bytes;
    this.channel.send({ client: this.client, event: 'message', data: message }, () => {
      if (!this.counted) this.sent(bytes);
    });
  }

  onDrain(receiver: () => void): void {
    this.drainReceiver = receiver;
  }

  sent(bytes: number): void {
    this.buffered -= bytes;
    this.drainReceiver?.();
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    this.receiver = receiver;
    const { early } = this;
    this.early = [];
    for (const message of early) receiver(message);
    return () => {
      if (this.receiver === receiver) this.receiver = undefined;
    };
  }

  onClose(receiver: (reason: Reason) => void): () => void {
    const { closed } = this;
    if (closed === undefined) this.closeReceivers.add(receiver);
    else {
      queueMicrotask(() => {
        receiver(closed);
      });
    }
    return () => this.closeReceivers.delete(receiver);
  }

  close({ code, message }: Reason = { code: 'closed', message: 'The trainer closed the connection.' }): void {
    if (this.closed !== undefined) return;
    this.channel.send({ client: this.client, event: 'close', code, message }, () => undefined);
    this.settle({ code, message });
  }

  deliver(message: unknown): void {
    const beganMs = performance.now();
    if (this.receiver === undefined) this.early.push(message);
    else this.receiver(message);
    if (!this.counted) return;
    this.readingMs += performance.now() - beganMs;
    this.readBytes += countedBytes(message);
    this.untold += 1;
    if (this.untold === 1) setImmediate(this.rest);
  }

  private readonly rest = (): void => {
    const pauseMs = this.lastTold < A_FLOOD ? 0 : FLOOD_PAUSE_MS;
    const workMs = Math.max(this.readingMs * REST_PER_READING, this.readBytes / BYTES_PER_REST_MS);
    const readingRestMs = workMs * (1 + this.rests.count);
    const restMs = Math.max(pauseMs, Math.min(readingRestMs, LONGEST_REST_MS));
    if (restMs < SHORTEST_REST_MS) this.tellTaken();
    else {
      this.rests.count += 1;
      setTimeout(() => {
        this.rests.count -= 1;
        this.tellTaken();
      }, restMs);
    }
  };

  private readonly tellTaken = (): void => {
    this.readingMs = 0;
    this.readBytes = 0;
    const count = this.untold;
    this.untold = 0;
    this.lastTold = count;
    if (this.closed === undefined) {
      this.channel.send({ client: this.client, event: 'taken', count }, () => undefined);
    }
  };

  /** The host says that the client has gone. */
  lost(): void {
    this.settle({ code: 'closed', message: 'The other side closed the connection.' });
  }

  private settle(reason: Reason): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    this.onEnd();
    const receivers = [...this.closeReceivers];
    this.closeReceivers.clear();
    for (const receiver of receivers) receiver(reason);
  }
}
