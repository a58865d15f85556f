import WebSocket from 'ws';
import { PROTOCOL_VERSION } from '../src-shared/protocol/messages';
import { TRAINER_PATH } from '../src-shared/protocol/shell';
import { waitFor } from './family';

type Message = Readonly<Record<string, unknown>>;

/** A page as the shell meets it: says hello, asks, and remembers the messages in text that it hears. */
export class Page {
  readonly heard: Message[] = [];
  hasClosed = false;
  private readonly socket: WebSocket;
  private lastId = 0;

  /** @param address the one that the shell prints */
  constructor(address: string) {
    const { host, origin, search } = new URL(address);
    this.socket = new WebSocket(`ws://${host}${TRAINER_PATH}${search}`, { origin });
    this.socket.on('open', () => {
      this.say({ type: 'hello', protocol: PROTOCOL_VERSION });
    });
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) this.heard.push(JSON.parse(data.toString()) as Message);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.hasClosed = true;
    });
  }

  /** The first message that fits; undefined when the connection ends or the limit passes before. */
  async hears(fits: (message: Message) => boolean, limitMs: number): Promise<Message | undefined> {
    await waitFor(() => this.hasClosed || this.heard.some(fits), limitMs);
    return this.heard.find(fits);
  }

  greeted(limitMs: number): Promise<Message | undefined> {
    return this.hears(({ type }) => type === 'ready', limitMs);
  }

  /** The sentence with which the connection was ended. */
  goodbye(limitMs: number): Promise<Message | undefined> {
    return this.hears(({ type }) => type === 'goodbye', limitMs);
  }

  /** The reply; undefined when none comes in time. */
  async asks(method: string, params: Message, limitMs: number): Promise<Message | undefined> {
    this.lastId += 1;
    const id = this.lastId;
    this.say({ type: 'request', id, method, params });
    return this.hears((message) => message['type'] === 'reply' && message['id'] === id, limitMs);
  }

  close(): void {
    this.socket.terminate();
  }

  private say(message: Message): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
