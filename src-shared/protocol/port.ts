/**
 * The one way two sides of Gradscope talk: a stream of text and binary messages, in order, without replies.
 * A MessagePort, a WebSocket and the memory pair of the tests all look like this, so neither side knows which it has.
 */
export interface Port {
  /**
   * Sends a control message (any JSON value) or an encoded binary message. What is sent is copied: the caller may
   * reuse the bytes. Sending to a closed port does nothing.
   */
  send(message: WireMessage): void;
  /** Registers the one receiver. Messages that arrived earlier are delivered first. Returns what unregisters it. */
  onMessage(receiver: (message: unknown) => void): () => void;
  /** Calls back once when either side has closed, with a stable code. */
  onClose(receiver: (reason: { code: string; message: string }) => void): () => void;
  close(reason?: { code: string; message: string }): void;
  /** Calls back when `bufferedBytes` has become less; only where the transport can tell. */
  onDrain?(receiver: () => void): void;
  /** Bytes accepted by `send` that have not left this process yet (0 where the transport cannot tell). */
  readonly bufferedBytes: number;
}

/** A JSON object, the text of one, or one binary envelope (see envelope.ts). */
export type WireMessage = Readonly<Record<string, unknown>> | string | Uint8Array;

/** What a transport of text sends for a message that is no envelope. */
export const textOf = (message: Exclude<WireMessage, Uint8Array>): string =>
  typeof message === 'string' ? message : JSON.stringify(message);
