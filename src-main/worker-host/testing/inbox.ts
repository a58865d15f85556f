import type { Port } from '../../../src-shared/protocol/port';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** What comes out of a port, to be awaited one by one. */
export interface Inbox {
  /** The next message; rejects when the port closes first. */
  next(): Promise<unknown>;
  readonly closed: Promise<Reason>;
}

export function inbox(port: Port): Inbox {
  const waiting: unknown[] = [];
  const askers: { resolve: (message: unknown) => void; reject: (error: Error) => void }[] = [];
  let end: Reason | undefined;
  port.onMessage((message) => {
    const asker = askers.shift();
    if (asker === undefined) waiting.push(message);
    else asker.resolve(message);
  });
  const closed = new Promise<Reason>((resolve) => {
    port.onClose((reason) => {
      end = reason;
      for (const asker of askers.splice(0)) asker.reject(new Error(`The port closed: ${reason.message}`));
      resolve(reason);
    });
  });
  return {
    closed,
    next: () => {
      if (waiting.length > 0) return Promise.resolve(waiting.shift());
      if (end !== undefined) return Promise.reject(new Error(`The port closed: ${end.message}`));
      return new Promise((resolve, reject) => {
        askers.push({ resolve, reject });
      });
    },
  };
}
