import { decodeTrainerMessage, encodeMessage } from '../../src-shared/protocol/decode';
import { ERROR_CODES, GradscopeError, type ErrorCode } from '../../src-shared/protocol/errors';
import {
  PROTOCOL_VERSION,
  REQUESTS,
  type RequestName,
  type RequestParams,
  type RequestResult,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';
import type { Port } from '../../src-shared/protocol/port';

export interface Reply<N extends RequestName> {
  readonly result: RequestResult<N>;
  readonly payload: Uint8Array;
}

interface Waiting {
  readonly resolve: (reply: { result: unknown; payload: Uint8Array }) => void;
  readonly reject: (error: GradscopeError) => void;
}

/** The page's side of the protocol, for a program: asks, and hears everything else through one receiver. */
export class TrainerClient {
  /** Never resolves; rejects when the connection ends, with the trainer's reason. */
  readonly lost: Promise<never>;
  private readonly port: Port;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;

  constructor(port: Port, receiver: (message: TrainerMessage, payload: Uint8Array) => void) {
    this.port = port;
    this.lost = new Promise((_, reject) => {
      port.onClose((reason) => {
        const error = new GradscopeError(toErrorCode(reason.code), reason.message);
        reject(error);
        for (const { reject: refuse } of this.waiting.values()) refuse(error);
        this.waiting.clear();
      });
    });
    // Whoever races it hears of it; nobody else has to.
    this.lost.catch(() => undefined);
    port.onMessage((raw) => {
      const { message, payload } = decodeTrainerMessage(raw);
      if (message.type === 'reply') this.settle(message, payload);
      else receiver(message, payload);
    });
    port.send({ type: 'hello', protocol: PROTOCOL_VERSION });
  }

  /** @throws GradscopeError with the trainer's code, or the one with which the connection ended. */
  async request<N extends RequestName>(
    method: N,
    params: RequestParams<N>,
    payload?: Uint8Array,
  ): Promise<Reply<N>> {
    const id = this.nextId;
    this.nextId += 1;
    const answered = new Promise<{ result: unknown; payload: Uint8Array }>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    this.port.send(encodeMessage({ type: 'request', id, method, params }, payload));
    const reply = await Promise.race([answered, this.lost]);
    return { result: REQUESTS[method][1].parse(reply.result) as RequestResult<N>, payload: reply.payload };
  }

  private settle(reply: Extract<TrainerMessage, { type: 'reply' }>, payload: Uint8Array): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.error === null) waiting?.resolve({ result: reply.result, payload });
    else waiting?.reject(new GradscopeError(reply.error.code, reply.error.message));
  }
}

const toErrorCode = (code: string): ErrorCode => ERROR_CODES.find((known) => known === code) ?? 'internal';
