import { decodeFirstMessage, decodePageMessage, encodeMessage } from '../../src-shared/protocol/decode';
import { type ErrorCode, GradscopeError } from '../../src-shared/protocol/errors';
import {
  INITIAL_CREDITS,
  type PageMessage,
  PROTOCOL_VERSION,
  REQUEST_NAMES,
  type RequestName,
  REQUESTS,
  type TrainerMessage,
  type WatchItem,
} from '../../src-shared/protocol/messages';
import { countedBytes } from '../../src-shared/protocol/host-messages';
import type { Port } from '../../src-shared/protocol/port';
import { MOST_SENTENCE_CHARACTERS, quoted, shorten } from '../../src-shared/text/shorten';
import type { ClientId } from '../training/run-control';
import { failureOf } from '../training/thread-messages';

/** A transport that holds this much back gets no frame: the picture would be old before it left. */
const MOST_BUFFERED_FOR_FRAMES = 8 * 1024 * 1024;
/** One that holds this much back has answers to read before it gets more of them. */
const MOST_BUFFERED_FOR_REQUESTS = 4 * 1024 * 1024;
/** One that holds this much back of the lossless lane does not read at all. */
const MOST_BUFFERED = 64 * 1024 * 1024;

export interface ClientRequest {
  readonly id: number;
  readonly method: RequestName;
  readonly params: unknown;
  readonly payload: Uint8Array;
  /** Size of the message it came in; of an object, which nobody has counted, a small one. */
  readonly messageBytes: number;
}

/** What the hub does with what a client says. */
export interface ClientEvents {
  /** The client has said hello, in the right protocol. */
  greeted(client: Client): void;
  watch(client: Client, items: readonly WatchItem[]): void;
  credit(client: Client, count: number): void;
  visibility(client: Client, visible: boolean): void;
  request(client: Client, request: ClientRequest): void;
  /** Whether a request of the client with that id is unanswered. */
  isUnanswered(client: Client, id: number): boolean;
  /** The transport holds little back again. */
  drained(): void;
  /** A frame could not be given to the transport. */
  frameDropped(client: Client): void;
  /** Called once, whoever closed. */
  gone(client: Client): void;
}

/**
 * One page (or program) at the other end of a port. Lets through only what the protocol allows; the first thing that it
 * does not allow ends the connection with a goodbye that says why.
 */
export class Client {
  readonly id: ClientId;
  /** Whether `ready` was sent: from then on it hears everything. */
  welcomed = false;
  items: readonly WatchItem[] = [];
  visible = true;
  /** Frames it may still be sent. */
  credits = 0;
  private readonly port: Port;
  private readonly events: ClientEvents;
  private hasGreeted = false;
  private isGone = false;

  constructor(id: ClientId, port: Port, events: ClientEvents) {
    this.id = id;
    this.port = port;
    this.events = events;
    port.onClose(() => {
      this.end();
    });
    port.onDrain?.(() => {
      events.drained();
    });
    port.onMessage((raw) => {
      this.receive(raw);
    });
  }

  /** Whether it reads what it is sent, so that more of its requests may be answered. */
  get takes(): boolean {
    return this.port.bufferedBytes <= MOST_BUFFERED_FOR_REQUESTS;
  }

  /** Whether it has ever said hello. */
  get saidHello(): boolean {
    return this.hasGreeted;
  }

  get greeted(): boolean {
    return this.hasGreeted && !this.isGone;
  }

  send(message: TrainerMessage, payload?: Uint8Array): void {
    this.sendEncoded(encodeMessage(message, payload));
  }

  /** For what was encoded once for all clients. */
  sendEncoded(message: ReturnType<typeof encodeMessage>): void {
    if (this.isGone) return;
    if (this.port.bufferedBytes > MOST_BUFFERED) {
      this.close('connection-lost', 'The connection was given up as nothing was read from it.');
    } else this.port.send(message);
  }

  sendFrame(head: Extract<TrainerMessage, { type: 'frame' }>, payload: Uint8Array): void {
    if (this.isGone) return;
    if (this.port.bufferedBytes > MOST_BUFFERED_FOR_FRAMES) this.events.frameDropped(this);
    else {
      this.credits = Math.max(0, this.credits - 1);
      this.send(head, payload);
    }
  }

  refuse(id: number, code: ErrorCode, message: string): void {
    const sentence = shorten(message, MOST_SENTENCE_CHARACTERS);
    this.send({ type: 'reply', id, error: { code, message: sentence }, result: {} });
  }

  /** Says goodbye and closes. */
  close(code: ErrorCode, sentence: string): void {
    if (this.isGone) return;
    const message = shorten(sentence, MOST_SENTENCE_CHARACTERS);
    this.port.send({ type: 'goodbye', code, message } satisfies TrainerMessage);
    this.end();
    this.port.close({ code, message });
  }

  private end(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.events.gone(this);
  }

  private receive(raw: unknown): void {
    if (this.isGone) return;
    try {
      const decode = this.hasGreeted ? decodePageMessage : decodeFirstMessage;
      const { message, payload } = decode(raw);
      this.handle(message, payload, countedBytes(raw));
    } catch (error) {
      // Whatever one client's message brings about, the others and the run go on.
      const { code, message } = failureOf(error);
      this.close(code, message);
    }
  }

  private handle(message: PageMessage, payload: Uint8Array, messageBytes: number): void {
    if (message.type === 'hello') {
      this.hello(message.protocol);
      return;
    }
    if (!this.hasGreeted) {
      throw new GradscopeError(
        'malformed-message',
        `The first message should be hello, but it was ${message.type}.`,
      );
    }
    switch (message.type) {
      case 'watch':
        this.items = message.items;
        refuseTwice(message.items);
        this.events.watch(this, message.items);
        break;
      case 'credit':
        this.credits = Math.min(INITIAL_CREDITS, this.credits + message.count);
        this.events.credit(this, message.count);
        break;
      case 'visibility':
        this.visible = message.visible;
        this.events.visibility(this, message.visible);
        break;
      case 'request':
        this.request(message, payload, messageBytes);
        break;
    }
  }

  private hello(protocol: number): void {
    if (this.hasGreeted) throw new GradscopeError('malformed-message', 'Hello was said twice.');
    if (protocol !== PROTOCOL_VERSION) {
      const expected = `This trainer speaks protocol ${String(PROTOCOL_VERSION)}`;
      throw new GradscopeError('wrong-protocol', `${expected}, but the client speaks ${String(protocol)}.`);
    }
    this.hasGreeted = true;
    this.events.greeted(this);
  }

  private request(
    { id, method, params }: Extract<PageMessage, { type: 'request' }>,
    payload: Uint8Array,
    messageBytes: number,
  ): void {
    // Whichever of the two a reply were about, the client would take it for the other's.
    if (this.events.isUnanswered(this, id)) {
      const sentence = `Request ${String(id)} is unanswered, so another needs another id.`;
      throw new GradscopeError('malformed-message', sentence);
    }
    if (!isRequestName(method)) {
      const known = REQUEST_NAMES.join(', ');
      this.refuse(
        id,
        'unknown-command',
        `There is no command called ${quoted(method, 40)}; there is ${known}.`,
      );
      return;
    }
    const parsed = REQUESTS[method][0].safeParse(params);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const path = issue?.path.join('.') ?? '';
      const where = path === '' ? 'The parameters' : shorten(path, 100);
      const sentence = `${where} of ${method} should be otherwise: ${issue?.message ?? 'invalid'}.`;
      this.refuse(id, refusalCode(method, path), sentence);
      return;
    }
    this.events.request(this, { id, method, params: parsed.data, payload, messageBytes });
  }
}

function refusalCode(method: RequestName, path: string): ErrorCode {
  if (method !== 'restart') return 'malformed-message';
  return path === 'config.order' ? 'bad-order' : 'bad-config';
}

const isRequestName = (method: string): method is RequestName =>
  (REQUEST_NAMES as readonly string[]).includes(method);

/** The same tensor twice in one list could only waste memory. */
function refuseTwice(items: readonly WatchItem[]): void {
  const seen = new Set<string>();
  for (const { name, kind } of items) {
    const key = `${kind} of ${name}`;
    if (seen.has(key)) throw new GradscopeError('malformed-message', `The ${key} is watched twice.`);
    seen.add(key);
  }
}
