import { GradscopeError, ERROR_CODES, type ErrorCode } from '../../src-shared/protocol/errors';
import type { Port } from '../../src-shared/protocol/port';
import {
  PAGE_KEY_PARAMETER,
  PORT_MESSAGE,
  TRAINER_PATH,
  type GradscopeShell,
} from '../../src-shared/protocol/shell';
import type { CloseReason } from './closing';
import { MessagePortPort } from './message-port';
import { pageKey } from './page-key';
import { openWebSocketPort } from './websocket-port';

/** Opens a new port to the trainer. @throws GradscopeError when there is none to be had. */
export type Connector = () => Promise<Port>;

declare global {
  interface Window {
    readonly gradscopeShell?: GradscopeShell;
  }
}

/** The shell's port on the desktop, else a WebSocket to where the page came from. */
export function connectorFor(page: Window): Connector {
  const shell = page.gradscopeShell;
  return shell === undefined ? webSocketConnector(page) : desktopConnector(page, shell);
}

function webSocketConnector(page: Window): Connector {
  const { protocol, host } = page.location;
  const address = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${TRAINER_PATH}`;
  return () => {
    const key = pageKey(page);
    return openWebSocketPort(key === null ? address : `${address}?${PAGE_KEY_PARAMETER}=${key}`);
  };
}

function desktopConnector(page: Window, shell: GradscopeShell): Connector {
  let current: MessagePortPort | null = null;
  let waiting: { resolve: (port: Port) => void; reject: (error: Error) => void } | null = null;
  page.addEventListener('message', ({ source, data, ports }) => {
    const [port] = ports;
    if (source !== page || data !== PORT_MESSAGE || port === undefined) return;
    current = new MessagePortPort(port);
    waiting?.resolve(current);
    waiting = null;
  });
  shell.onTrainerGone((reason) => {
    current?.lose(reason);
    current = null;
    waiting?.reject(asError(reason));
    waiting = null;
  });
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      shell.requestPort();
    });
}

const asError = ({ code, message }: CloseReason): GradscopeError =>
  new GradscopeError(isErrorCode(code) ? code : 'internal', message);

const isErrorCode = (code: string): code is ErrorCode => (ERROR_CODES as readonly string[]).includes(code);
