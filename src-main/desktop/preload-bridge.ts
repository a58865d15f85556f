import type { ContextBridge, IpcRenderer } from 'electron';
import {
  MENU_COMMANDS,
  PORT_MESSAGE,
  type GradscopeShell,
  type MenuCommand,
} from '../../src-shared/protocol/shell';
import { REQUEST_PORT, type ToPage } from './channels';

export interface PreloadElectron {
  readonly contextBridge: Pick<ContextBridge, 'exposeInMainWorld'>;
  readonly ipcRenderer: Pick<IpcRenderer, 'send'> & {
    on(
      channel: string,
      listener: (event: { readonly ports: MessagePort[] }, message: unknown) => void,
    ): unknown;
  };
}

/**
 * Gives the page `window.gradscopeShell` and nothing else of Electron. A port cannot cross the context bridge; it is
 * posted to the page's own window, which both worlds share.
 */
export function exposeShell(
  { contextBridge, ipcRenderer }: PreloadElectron,
  page: Pick<Window, 'postMessage'>,
): void {
  const receivers = {
    'gradscope:menu': new Set<(command: MenuCommand) => void>(),
    'gradscope:trainer-gone': new Set<(reason: { code: string; message: string }) => void>(),
  };
  const port: keyof ToPage = 'gradscope:port';
  ipcRenderer.on(port, ({ ports }) => {
    // '*', as there is no other target here than this very window, and it never shows another origin.
    page.postMessage(PORT_MESSAGE, '*', ports);
  });
  ipcRenderer.on('gradscope:menu' satisfies keyof ToPage, (_event, message) => {
    const command = MENU_COMMANDS.find((known) => known === message);
    if (command !== undefined) for (const receiver of receivers['gradscope:menu']) receiver(command);
  });
  ipcRenderer.on('gradscope:trainer-gone' satisfies keyof ToPage, (_event, message) => {
    const { code, message: sentence } = message as ToPage['gradscope:trainer-gone'];
    for (const receiver of receivers['gradscope:trainer-gone']) receiver({ code, message: sentence });
  });
  const shell: GradscopeShell = {
    kind: 'desktop',
    requestPort: () => {
      ipcRenderer.send(REQUEST_PORT);
    },
    onMenu: (receiver) => subscribe(receivers['gradscope:menu'], receiver),
    onTrainerGone: (receiver) => subscribe(receivers['gradscope:trainer-gone'], receiver),
  };
  contextBridge.exposeInMainWorld('gradscopeShell', shell);
}

function subscribe<T>(receivers: Set<T>, receiver: T): () => void {
  receivers.add(receiver);
  return () => {
    receivers.delete(receiver);
  };
}
