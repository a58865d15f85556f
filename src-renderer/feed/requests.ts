import { encodeMessage } from '../../src-shared/protocol/decode';
import { GradscopeError } from '../../src-shared/protocol/errors';
import {
  REQUESTS,
  type RequestName,
  type RequestParams,
  type TrainerMessage,
} from '../../src-shared/protocol/messages';
import type { Port } from '../../src-shared/protocol/port';
import type { Reply, RequestClient } from '../state/request-client';
import type { CloseReason } from './closing';

interface Waiting {
  readonly name: RequestName;
  readonly resolve: (reply: Reply<RequestName>) => void;
  readonly reject: (error: Error) => void;
}

type ReplyMessage = Extract<TrainerMessage, { type: 'reply' }>;

/** Numbers requests and hands each reply to who asked. Every request settles: by its reply, or when the port closes. */
export class Requests implements RequestClient {
  private port: Port | null = null;
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();

  /** Requests under way. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Those of them that are called so. */
  pendingOf(name: RequestName): number {
    return [...this.waiting.values()].filter((request) => request.name === name).length;
  }

  open(port: Port): void {
    this.port = port;
  }

  /** Every request under way fails with this reason. */
  close({ message }: CloseReason): void {
    this.port = null;
    const unanswered = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of unanswered) reject(new GradscopeError('connection-lost', message));
  }

  request<N extends RequestName>(name: N, params: RequestParams<N>, payload?: Uint8Array): Promise<Reply<N>> {
    const { port } = this;
    if (port === null) {
      return Promise.reject(new GradscopeError('connection-lost', 'There is no connection to a trainer.'));
    }
    const id = ++this.lastId;
    const reply = new Promise<Reply<RequestName>>((resolve, reject) => {
      this.waiting.set(id, { name, resolve, reject });
    });
    port.send(encodeMessage({ type: 'request', id, method: name, params }, payload));
    return reply;
  }

  /** @throws GradscopeError `malformed-message` when nobody asked or the result is not what the protocol says. */
  settle({ id, error, result }: ReplyMessage, payload: Uint8Array): void {
    const request = this.waiting.get(id);
    if (request === undefined) {
      throw new GradscopeError('malformed-message', `Nobody asked for reply ${String(id)}.`);
    }
    this.waiting.delete(id);
    if (error !== null) {
      request.reject(new GradscopeError(error.code, error.message));
      return;
    }
    const parsed = REQUESTS[request.name][1].safeParse(result);
    if (parsed.success) request.resolve({ result: parsed.data, payload });
    else {
      const refusal = new GradscopeError(
        'malformed-message',
        `The reply to ${request.name} is not as the protocol says.`,
      );
      request.reject(refusal);
      throw refusal;
    }
  }
}
