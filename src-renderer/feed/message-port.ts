import type { Port, WireMessage } from '../../src-shared/protocol/port';
import { closeReason, Inbox, type CloseReason } from './closing';

/** The desktop's port to the trainer. Such a port does not always tell when its other end has gone; `lose` is for who knows. */
export class MessagePortPort implements Port {
  readonly bufferedBytes = 0;
  private readonly port: MessagePort;
  private readonly inbox = new Inbox();

  constructor(port: MessagePort) {
    this.port = port;
    port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      this.inbox.deliver(data);
    });
    port.addEventListener('close', () => {
      this.lose(closeReason('connection-lost', 'The connection to the trainer was lost.'));
    });
    port.start();
  }

  send(message: WireMessage): void {
    if (!this.inbox.closed) this.port.postMessage(message);
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    return this.inbox.onMessage(receiver);
  }

  onClose(receiver: (reason: CloseReason) => void): () => void {
    return this.inbox.onClose(receiver);
  }

  close(reason: CloseReason = closeReason('closed', 'The page closed the connection.')): void {
    this.port.close();
    this.inbox.close(reason);
  }

  lose(reason: CloseReason): void {
    this.inbox.close(reason);
  }
}
