import type { MenuCommand } from '../../src-shared/protocol/shell';

/** Everything that goes over Electron's IPC: name -> what is sent. The trainer's messages never do; they have a port. */
export interface ToPage {
  /** With the port as the only transferred one. */
  'gradscope:port': null;
  'gradscope:menu': MenuCommand;
  'gradscope:trainer-gone': { readonly code: string; readonly message: string };
}

export const REQUEST_PORT = 'gradscope:request-port';
