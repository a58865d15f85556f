import { attachSchema } from '../../src-shared/protocol/host-messages';
import type { Port, WireMessage } from '../../src-shared/protocol/port';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** The part of Electron's MessagePortMain that is used here. */
export interface ElectronMessagePort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** The part of `process.parentPort` in an Electron utility process that is used here. */
export interface ElectronParentPort {
  on(
    event: 'message',
    listener: (event: { readonly data: unknown; readonly ports: readonly ElectronMessagePort[] }) => void,
  ): unknown;
}

/** Calls back with a port for every client that the shell attaches. */
export function listenToElectron(parent: ElectronParentPort, onClient: (port: Port) => void): void {
  parent.on('message', ({ data, ports }) => {
    const [port] = ports;
    if (!attachSchema.safeParse(data).success || port === undefined) {
      // A fault of the shell, and no reason to end the run.
      console.error('The shell should send attach with a port, but sent something else.');
      return;
    }
    onClient(electronPort(port));
  });
}

/** A MessagePort straight to the page. What is posted is copied by the port; it does not tell how much is on its way. */
function electronPort(port: ElectronMessagePort): Port {
  let closed: Reason | undefined;
  const closeReceivers = new Set<(reason: Reason) => void>();
  const settle = (reason: Reason): void => {
    if (closed !== undefined) return;
    closed = reason;
    for (const receiver of closeReceivers) receiver(reason);
    closeReceivers.clear();
  };
  port.on('close', () => {
    settle({ code: 'closed', message: 'The other side closed the connection.' });
  });
  return {
    send(message: WireMessage) {
      if (closed === undefined) port.postMessage(message);
    },
    onMessage(receiver) {
      let current: typeof receiver | undefined = receiver;
      port.on('message', ({ data }) => current?.(data));
      // What arrived before is kept by the port until now.
      port.start();
      return () => {
        current = undefined;
      };
    },
    onClose(receiver) {
      if (closed !== undefined) {
        const reason = closed;
        queueMicrotask(() => {
          receiver(reason);
        });
      } else closeReceivers.add(receiver);
      return () => closeReceivers.delete(receiver);
    },
    close(reason = { code: 'closed', message: 'The trainer closed the connection.' }) {
      settle(reason);
      port.close();
    },
    bufferedBytes: 0,
  };
}
