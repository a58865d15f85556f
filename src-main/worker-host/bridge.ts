import type { Port, WireMessage } from '../../src-shared/protocol/port';

/** Joins two connections: what comes out of one goes into the other, and when one closes, so does the other. */
export function bridge(first: Port, second: Port): void {
  pass(first, second);
  pass(second, first);
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
