import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PORT_MESSAGE, type GradscopeShell, type MenuCommand } from '../../src-shared/protocol/shell';
import { REQUEST_PORT } from './channels';
import { exposeShell } from './preload-bridge';

function newPreload(): {
  shell: GradscopeShell;
  exposed: string[];
  sent: unknown[];
  posted: unknown[][];
  receive: (channel: string, message: unknown, ports?: MessagePort[]) => void;
} {
  const incoming = new EventEmitter();
  const exposed: [string, unknown][] = [];
  const sent: unknown[] = [];
  const posted: unknown[][] = [];
  exposeShell(
    {
      contextBridge: { exposeInMainWorld: (name, value) => exposed.push([name, value]) },
      ipcRenderer: {
        send: (...message) => sent.push(message),
        on: (channel, listener) => incoming.on(channel, listener),
      },
    },
    { postMessage: (...message: unknown[]) => posted.push(message) },
  );
  return {
    shell: exposed[0]?.[1] as GradscopeShell,
    exposed: exposed.map(([name]) => name),
    sent,
    posted,
    receive: (channel, message, ports = []) => incoming.emit(channel, { ports }, message),
  };
}

describe('the preload script', () => {
  // Catches: more of Electron put into the page than it needs.
  it('exposes one object with these four members', () => {
    const { exposed, shell } = newPreload();
    expect(exposed).toEqual(['gradscopeShell']);
    expect(Object.keys(shell).sort()).toEqual(['kind', 'onMenu', 'onTrainerGone', 'requestPort']);
    expect(shell.kind).toBe('desktop');
  });

  // Catches: a port lost between the two worlds.
  it('asks for a port and hands it on to the page', () => {
    const { shell, sent, posted, receive } = newPreload();
    shell.requestPort();
    expect(sent).toEqual([[REQUEST_PORT]]);
    const { port1 } = new MessageChannel();
    receive('gradscope:port', null, [port1]);
    expect(posted).toEqual([[PORT_MESSAGE, '*', [port1]]]);
    port1.close();
  });

  // Catches: a receiver that stays after it was taken back; a command that the page does not know passed on.
  it('passes on menu commands that there are, to whoever listens', () => {
    const { shell, receive } = newPreload();
    const heard: MenuCommand[] = [];
    const stop = shell.onMenu((command) => heard.push(command));
    receive('gradscope:menu', 'stepBatch');
    receive('gradscope:menu', 'formatDisk');
    stop();
    receive('gradscope:menu', 'stepEpoch');
    expect(heard).toEqual(['stepBatch']);
  });

  // Catches: a reason that reaches the page without its code or its sentence.
  it('passes on why the trainer is gone', () => {
    const { shell, receive } = newPreload();
    const heard: unknown[] = [];
    shell.onTrainerGone((reason) => heard.push(reason));
    receive('gradscope:trainer-gone', { code: 'worker-died', message: 'It ended.' });
    expect(heard).toEqual([{ code: 'worker-died', message: 'It ended.' }]);
  });
});
