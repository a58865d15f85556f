import { GradscopeError } from '../../src-shared/protocol/errors';
import { type Port, textOf, type WireMessage } from '../../src-shared/protocol/port';
import { MAX_MESSAGE_BYTES } from '../../src-shared/protocol/limits';
import { CLOSE_NUMBERS } from '../../src-shared/protocol/shell';
import { closeReason, Inbox, type CloseReason } from './closing';

/**
 * Opens a WebSocket to the trainer.
 * @throws GradscopeError `connection-lost` when it does not open.
 */
export function openWebSocketPort(address: string): Promise<Port> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      resolve(new WebSocketPort(socket));
    };
    socket.onclose = () => {
      reject(new GradscopeError('connection-lost', 'No trainer answers at the address of this page.'));
    };
  });
}

class WebSocketPort implements Port {
  private readonly socket: WebSocket;
  private readonly inbox = new Inbox();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.inbox.deliver(typeof data === 'string' ? data : new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
      this.inbox.close(whyClosed(code, reason));
    };
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(message: WireMessage): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(message instanceof Uint8Array ? message.slice() : textOf(message));
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    return this.inbox.onMessage(receiver);
  }

  onClose(receiver: (reason: CloseReason) => void): () => void {
    return this.inbox.onClose(receiver);
  }

  close(reason: CloseReason = closeReason('closed', 'The page closed the connection.')): void {
    this.socket.close(CLOSE_NUMBERS.closed, reason.code);
    this.inbox.close(reason);
  }
}

/** What a person is told who has stopped the shell. */
export const SHELL_STOPPED = 'Gradscope was stopped.';

function whyClosed(number: number, reason: string): CloseReason {
  if (number === CLOSE_NUMBERS.shellStopped) return closeReason('connection-lost', SHELL_STOPPED);
  if (number === CLOSE_NUMBERS.tooLarge) {
    const most = `${String(MAX_MESSAGE_BYTES)} bytes that a message may have`;
    return closeReason('message-too-large', `The page sent more than the ${most}.`);
  }
  if (reason !== '') return { code: reason, message: 'The trainer closed the connection.' };
  return closeReason('connection-lost', 'The connection to the trainer was lost.');
}
