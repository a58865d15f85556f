import type { Port, WireMessage } from '../../src-shared/protocol/port';
import type { TrainerPort } from './relay-host';

/** A client's connection that can be left unread for a while, and says what has left for the client. */
export interface ClientPort extends Port {
  hold(hold: boolean): void;
  onSent(receiver: (bytes: number) => void): void;
}

/**
 * Joins a client and the trainer: what comes out of one goes into the other, when one closes, so does the other, and neither is
 * given more than it takes.
 */
export function bridge(client: ClientPort, trainer: TrainerPort): void {
  pass(client, trainer);
  pass(trainer, client);
  trainer.onHold((hold) => {
    client.hold(hold);
  });
  client.onSent((bytes) => {
    trainer.sent(bytes);
  });
}

function pass(from: Port, to: Port): void {
  // Whoever reads it checks it; on the way nobody looks in.
  from.onMessage((message) => {
    to.send(message as WireMessage);
  });
  from.onClose((reason) => {
    to.close(reason);
  });
}
