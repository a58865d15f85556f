import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { decodeTrainerMessage, encodeMessage } from '../../src-shared/protocol/decode';
import {
  relayToHostSchema,
  type RelayToTrainer,
  type TrainerOptions,
} from '../../src-shared/protocol/host-messages';
import {
  type PageMessage,
  PROTOCOL_VERSION,
  type RequestName,
  type RequestParams,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';

type Message<T extends TrainerMessage['type']> = Extract<TrainerMessage, { type: T }>;
type Heard = { readonly message: TrainerMessage; readonly payload: Uint8Array };
type Wanted<T extends TrainerMessage['type']> = (message: Message<T>) => boolean;

/** A trainer process spawned from what was built, and its clients. */
export class TrainerProcess {
  readonly child: ChildProcess;
  readonly clients: TestClient[] = [];
  stderr = '';

  constructor(script: string, options?: TrainerOptions) {
    this.child = fork(script, options === undefined ? [] : [JSON.stringify(options)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.child.on('message', (raw) => {
      const message = relayToHostSchema.parse(raw);
      this.clients[message.client]?.relayed(message);
    });
  }

  /** A new client that has not said anything yet. */
  client(): TestClient {
    const client = new TestClient(this.clients.length, (message) => this.child.send(message));
    this.clients.push(client);
    return client;
  }

  /** A client that was greeted. */
  async connect(): Promise<TestClient> {
    const client = this.client();
    client.send({ type: 'hello', protocol: PROTOCOL_VERSION });
    await client.next('ready');
    return client;
  }

  /** Lets go of the process, as a shell does, and waits until it has gone. Gives its exit code. */
  async end(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exit = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    const [code] = (await exit) as [number | null];
    return code;
  }
}

/** One client of a spawned trainer: remembers all it hears. */
export class TestClient {
  heard: Heard[] = [];
  closed: string | undefined;
  /** Credits go back at once, as if every frame were drawn. */
  draws = true;
  private readonly id: number;
  private readonly post: (message: RelayToTrainer) => void;
  private requests = 0;
  private waiting: (() => void)[] = [];

  constructor(id: number, post: (message: RelayToTrainer) => void) {
    this.id = id;
    this.post = post;
    post({ client: id, event: 'open' });
  }

  send(message: PageMessage, payload?: Uint8Array): void {
    this.post({ client: this.id, event: 'message', data: encodeMessage(message, payload) });
  }

  sendRaw(data: unknown): void {
    this.post({ client: this.id, event: 'message', data });
  }

  close(): void {
    this.post({ client: this.id, event: 'close' });
  }

  /** Asks without waiting for the answer. */
  ask<N extends RequestName>(method: N, params: RequestParams<N>, payload?: Uint8Array): number {
    this.requests += 1;
    this.send({ type: 'request', id: this.requests, method, params: { ...params } }, payload);
    return this.requests;
  }

  async request<N extends RequestName>(
    method: N,
    params: RequestParams<N>,
    payload?: Uint8Array,
  ): Promise<{ reply: Message<'reply'>; payload: Uint8Array }> {
    const id = this.ask(method, params, payload);
    const found = await this.find((heard) => heard.message.type === 'reply' && heard.message.id === id);
    return { reply: found.message as Message<'reply'>, payload: found.payload };
  }

  /** The first message of that type, of all it heard or will hear from `from` on. */
  async next<T extends TrainerMessage['type']>(
    type: T,
    wanted: Wanted<T> = () => true,
    from = 0,
  ): Promise<Message<T>> {
    const found = await this.find(
      ({ message }) => message.type === type && wanted(message as Message<T>),
      from,
    );
    return found.message as Message<T>;
  }

  all<T extends TrainerMessage['type']>(type: T): Message<T>[] {
    return this.heard
      .map(({ message }) => message)
      .filter((message) => message.type === type) as Message<T>[];
  }

  last<T extends TrainerMessage['type']>(type: T): Message<T> | undefined {
    return this.all(type).at(-1);
  }

  /** Forgets what it heard of that. */
  forget(which: (heard: Heard) => boolean): void {
    this.heard = this.heard.filter((heard) => !which(heard));
  }

  relayed(event: ReturnType<typeof relayToHostSchema.parse>): void {
    if (event.event === 'close') this.closed = event.code;
    else if (event.event === 'message') {
      const heard = decodeTrainerMessage(event.data);
      this.heard.push(heard);
      if (heard.message.type === 'frame' && this.draws) this.send({ type: 'credit', count: 1 });
    }
    for (const look of this.waiting.splice(0)) look();
  }

  async closing(): Promise<string> {
    while (this.closed === undefined) await this.more();
    return this.closed;
  }

  private async find(wanted: (heard: Heard) => boolean, from = 0): Promise<Heard> {
    for (let i = from; ; ) {
      for (; i < this.heard.length; i += 1) if (wanted(this.heard[i]!)) return this.heard[i]!;
      if (this.closed !== undefined) throw new Error(`The connection was closed: ${this.closed}.`);
      await this.more();
    }
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }
}
