import { once } from 'node:events';
import WebSocket from 'ws';
import { decodeTrainerMessage, encodeMessage, type Received } from '../../src-shared/protocol/decode';
import {
  PROTOCOL_VERSION,
  REQUESTS,
  type PageMessage,
  type Ready,
  type RequestName,
  type RequestParams,
  type RequestResult,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';
import { TRAINER_PATH } from '../../src-shared/protocol/shell';

export interface Answer<N extends RequestName> {
  readonly result: RequestResult<N>;
  readonly payload: Uint8Array;
}

/** Where the run is and what its weights are, as the trainer itself has it. */
export interface Place {
  readonly step: number;
  readonly weightsSha256: string;
}

/** A second party on the run, beside the page: asks the trainer what is so, by the protocol alone. */
export class TrainerClient {
  readonly received: Received<TrainerMessage>[] = [];
  private readonly socket: WebSocket;
  private readonly listeners = new Set<(received: Received<TrainerMessage>) => void>();
  private lastId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      const received = decodeTrainerMessage(isBinary ? new Uint8Array(data) : JSON.parse(data.toString()));
      this.received.push(received);
      for (const listener of this.listeners) listener(received);
    });
  }

  /** @param address the one that the shell prints */
  static async connect(address: string): Promise<TrainerClient> {
    const { host, origin, search } = new URL(address);
    const socket = new WebSocket(`ws://${host}${TRAINER_PATH}${search}`, { origin });
    const client = new TrainerClient(socket);
    await once(socket, 'open');
    const ready = client.next(({ message }) => message.type === 'ready');
    client.send({ type: 'hello', protocol: PROTOCOL_VERSION });
    await ready;
    return client;
  }

  /** Of the newest run. */
  get ready(): Ready {
    const found = this.received.findLast(({ message }) => message.type === 'ready')?.message;
    if (found?.type !== 'ready') throw new Error('The trainer has not said ready.');
    return found;
  }

  send(message: PageMessage, payload?: Uint8Array): void {
    const encoded = encodeMessage(message, payload);
    this.socket.send(encoded instanceof Uint8Array ? encoded : JSON.stringify(encoded));
  }

  next(matches: (received: Received<TrainerMessage>) => boolean): Promise<Received<TrainerMessage>> {
    return new Promise((resolve) => {
      const listener = (received: Received<TrainerMessage>): void => {
        if (!matches(received)) return;
        this.listeners.delete(listener);
        resolve(received);
      };
      this.listeners.add(listener);
    });
  }

  /** @throws Error with the trainer's code and sentence when it refuses */
  async request<N extends RequestName>(
    method: N,
    params: RequestParams<N>,
    payload?: Uint8Array,
  ): Promise<Answer<N>> {
    this.lastId += 1;
    const id = this.lastId;
    const reply = this.next(({ message }) => message.type === 'reply' && message.id === id);
    this.send({ type: 'request', id, method, params }, payload);
    const { message, payload: answered } = await reply;
    if (message.type !== 'reply') throw new Error('not a reply');
    if (message.error !== null) throw new Error(`${message.error.code}: ${message.error.message}`);
    return { result: REQUESTS[method][1].parse(message.result) as RequestResult<N>, payload: answered };
  }

  /** Changes nothing. */
  async place(): Promise<Place> {
    return (await this.request('saveWeights', {})).result;
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}
