import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { Port } from '../../src-shared/protocol/port';
import { type ElectronMessagePort, type ElectronParentPort, listenToElectron } from './electron-port';

/** As Electron's MessagePortMain: an emitter of events with `data` that holds messages back until it is started. */
class FakePort extends EventEmitter implements ElectronMessagePort {
  readonly posted: unknown[] = [];
  closed = false;
  private readonly held: unknown[] = [];
  private started = false;

  arrive(data: unknown): void {
    if (this.started) this.emit('message', { data });
    else this.held.push(data);
  }
  postMessage(message: unknown): void {
    this.posted.push(structuredClone(message));
  }
  start(): void {
    this.started = true;
    for (const data of this.held.splice(0)) this.emit('message', { data });
  }
  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

function attach(): { port: Port; far: FakePort } {
  const parent = new EventEmitter() as EventEmitter & ElectronParentPort;
  const far = new FakePort();
  const ports: Port[] = [];
  listenToElectron(parent, (port) => ports.push(port));
  parent.emit('message', { data: { type: 'attach' }, ports: [far] });
  return { port: ports[0]!, far };
}

it('loses nothing that the page said before the trainer listened', () => {
  const { port, far } = attach();
  far.arrive({ type: 'hello', protocol: 1 });
  const heard: unknown[] = [];
  port.onMessage((message) => heard.push(message));
  far.arrive({ type: 'watch', items: [] });
  expect(heard).toEqual([
    { type: 'hello', protocol: 1 },
    { type: 'watch', items: [] },
  ]);
});

it('tells once that the page has gone, and says nothing to it any more', () => {
  const { port, far } = attach();
  const reasons: string[] = [];
  port.onClose(({ code }) => reasons.push(code));
  far.emit('close');
  far.emit('close');
  port.send({ type: 'status' });
  expect([reasons, far.posted]).toEqual([['closed'], []]);
});

it('closes with the reason it is given', () => {
  const { port, far } = attach();
  const reasons: string[] = [];
  port.onClose(({ code }) => reasons.push(code));
  port.send({ type: 'goodbye' });
  port.close({ code: 'malformed-message', message: 'No.' });
  expect([reasons, far.posted, far.closed]).toEqual([['malformed-message'], [{ type: 'goodbye' }], true]);
});

// Catches: a run that ends because of one message.
it('says that a message of the shell is no attach, and goes on', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const parent = new EventEmitter() as EventEmitter & ElectronParentPort;
  const ports: Port[] = [];
  listenToElectron(parent, (port) => ports.push(port));
  parent.emit('message', { data: { type: 'attach' }, ports: [] });
  parent.emit('message', { data: null, ports: [] });
  expect(said).toHaveBeenCalledTimes(2);
  parent.emit('message', { data: { type: 'attach' }, ports: [new FakePort()] });
  expect(ports).toHaveLength(1);
  said.mockRestore();
});
