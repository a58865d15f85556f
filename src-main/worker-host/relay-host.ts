import {
  countedBytes,
  relayToHostSchema,
  type RelayToTrainer,
} from '../../src-shared/protocol/host-messages';
import { type Port, textOf, type WireMessage } from '../../src-shared/protocol/port';
import type { RelayedProcess } from './forked-trainer';
import { Supervisor, type Life } from './supervisor';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** Many clients, one trainer process, one channel between. */
export class RelayHost {
  private readonly supervisor: Supervisor<RelayedProcess>;
  private relay: Relay | undefined;
  private nextClient = 0;

  constructor(supervisor: Supervisor<RelayedProcess>) {
    this.supervisor = supervisor;
  }

  /** Starts the trainer before anybody asks, so that the first page finds it ready. */
  warmUp(): void {
    this.currentRelay();
  }

  /**
   * The client's end of a new connection to the trainer; a new trainer is spawned when none is alive. It closes with
   * `worker-died` and a sentence when the process ends.
   * @param counted whether `sent` will be told of everything that has left this process
   * @throws GradscopeError `closed` after stop().
   */
  connect(counted = false): TrainerPort {
    const client = this.nextClient;
    this.nextClient += 1;
    return this.currentRelay().open(client, counted);
  }

  /** Closes every connection and ends the trainer process. */
  stop(): Promise<void> {
    return this.supervisor.stop();
  }

  private currentRelay(): Relay {
    const life = this.supervisor.live();
    if (this.relay?.life !== life) this.relay = new Relay(life);
    return this.relay;
  }
}

/** The connections to one process, from its spawn to its exit. */
class Relay {
  readonly life: Life<RelayedProcess>;
  private readonly clients = new Map<number, RelayPort>();

  constructor(life: Life<RelayedProcess>) {
    this.life = life;
    life.process.onMessage((message) => {
      this.receive(message);
    });
    void life.ended.then((reason) => {
      for (const port of [...this.clients.values()]) port.settle(reason);
    });
  }

  open(client: number, counted: boolean): TrainerPort {
    const port = new RelayPort(client, counted, (message) => {
      if (message.event === 'close') this.clients.delete(client);
      this.life.process.send(message);
    });
    this.clients.set(client, port);
    this.life.process.send(counted ? { client, event: 'open', counted } : { client, event: 'open' });
    return port;
  }

  private receive(raw: unknown): void {
    const parsed = relayToHostSchema.safeParse(raw);
    if (!parsed.success) {
      // Both ends are built together, so this is a fault of ours; what such a trainer says next cannot be trusted.
      console.error('The trainer process sent a message that its host does not know, and was ended.');
      this.life.process.kill('SIGKILL');
      return;
    }
    const message = parsed.data;
    const port = this.clients.get(message.client);
    if (message.event === 'message') {
      port?.deliver(message.data);
    } else if (message.event === 'taken') {
      port?.taken(message.count);
    } else {
      this.clients.delete(message.client);
      port?.settle({ code: message.code, message: message.message });
    }
  }
}

/** So much of one client may be on its way to the trainer before its socket is not read any more. */
const MOST_ON_THE_WAY = { messages: 64, bytes: 4 * 1024 * 1024 };
/** With no more of either on its way, it is read again. */
const FEW_ON_THE_WAY = { messages: 16, bytes: 1024 * 1024 };

/** A connection to the trainer that says when it has enough, and is told what has left for the client. */
export interface TrainerPort extends Port {
  /** Calls back with true when nothing more should be sent for now, and with false when it may again. */
  onHold(receiver: (hold: boolean) => void): void;
  /** So many bytes (countedBytes) of what came out of this port have left for the client. */
  sent(bytes: number): void;
}

class RelayPort implements TrainerPort {
  /** The channel to the process cannot tell; the page's socket can. */
  readonly bufferedBytes = 0;
  private readonly client: number;
  private readonly relay: (message: RelayToTrainer) => void;
  private early: unknown[] = [];
  private receiver: ((message: unknown) => void) | undefined;
  private closed: Reason | undefined;
  private closeReceivers: ((reason: Reason) => void)[] = [];
  private readonly counted: boolean;
  private holdReceiver: ((hold: boolean) => void) | undefined;
  private holding = false;
  /** Size of each message that the trainer has not read yet. */
  private readonly onTheWay: number[] = [];
  private bytesOnTheWay = 0;

  constructor(client: number, counted: boolean, relay: (message: RelayToTrainer) => void) {
    this.client = client;
    this.counted = counted;
    this.relay = relay;
  }

  onHold(receiver: (hold: boolean) => void): void {
    this.holdReceiver = receiver;
  }

  sent(bytes: number): void {
    if (this.closed === undefined) this.relay({ client: this.client, event: 'sent', bytes });
  }

  taken(count: number): void {
    for (const size of this.onTheWay.splice(0, count)) this.bytesOnTheWay -= size;
    const isLittle =
      this.onTheWay.length <= FEW_ON_THE_WAY.messages && this.bytesOnTheWay <= FEW_ON_THE_WAY.bytes;
    if (isLittle && this.holding) this.hold(false);
  }

  private hold(hold: boolean): void {
    this.holding = hold;
    this.holdReceiver?.(hold);
  }

  send(message: WireMessage): void {
    if (this.closed !== undefined) return;
    // As text: what clones an object goes into it as deep as it is.
    const data = message instanceof Uint8Array ? message : textOf(message);
    this.relay({ client: this.client, event: 'message', data });
    if (!this.counted) return;
    const size = countedBytes(data);
    this.onTheWay.push(size);
    this.bytesOnTheWay += size;
    const isMuch =
      this.onTheWay.length >= MOST_ON_THE_WAY.messages || this.bytesOnTheWay >= MOST_ON_THE_WAY.bytes;
    if (isMuch && !this.holding) this.hold(true);
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
    if (closed === undefined) {
      this.closeReceivers.push(receiver);
    } else {
      queueMicrotask(() => {
        receiver(closed);
      });
    }
    return () => {
      this.closeReceivers = this.closeReceivers.filter((other) => other !== receiver);
    };
  }

  close(reason: Reason = { code: 'closed', message: 'The connection was closed.' }): void {
    if (this.closed !== undefined) return;
    this.relay({ client: this.client, event: 'close' });
    this.settle(reason);
  }

  deliver(message: unknown): void {
    if (this.receiver === undefined) this.early.push(message);
    else this.receiver(message);
  }

  settle(reason: Reason): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    const receivers = this.closeReceivers;
    this.closeReceivers = [];
    for (const receiver of receivers) receiver(reason);
  }
}
