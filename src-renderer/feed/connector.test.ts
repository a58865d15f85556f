import { afterEach, expect, test } from 'vitest';
import type { Port } from '../../src-shared/protocol/port';
import { PORT_MESSAGE, type GradscopeShell } from '../../src-shared/protocol/shell';
import { connectorFor } from './connector';

type Gone = Parameters<Parameters<GradscopeShell['onTrainerGone']>[0]>[0];

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** The page's window and the preload's bridge, with real message channels for ports. */
class DesktopPage extends EventTarget {
  asked = 0;
  private gone: (reason: Gone) => void = () => undefined;
  readonly gradscopeShell: GradscopeShell = {
    kind: 'desktop',
    requestPort: () => {
      this.asked += 1;
    },
    onMenu: () => () => undefined,
    onTrainerGone: (receiver) => {
      this.gone = receiver;
      return () => undefined;
    },
  };

  /** The trainer's end of a port that was handed to the page. */
  handOver(source: unknown = this, data: unknown = PORT_MESSAGE): MessagePort {
    const { port1, port2 } = new MessageChannel();
    open.push(port1, port2);
    const event = Object.assign(new Event('message'), { source, data, ports: [port1] });
    this.dispatchEvent(event);
    return port2;
  }

  trainerGone(reason: Gone): void {
    this.gone(reason);
  }
}

const desktop = (): { page: DesktopPage; connect: () => Promise<Port> } => {
  const page = new DesktopPage();
  return { page, connect: connectorFor(page as unknown as Window) };
};

test('the desktop’s port carries messages both ways', async () => {
  const { page, connect } = desktop();
  const asked = connect();
  const far = page.handOver();
  const port = await asked;
  expect(page.asked).toBe(1);
  const heard = new Promise((resolve) => {
    port.onMessage(resolve);
  });
  const answered = new Promise((resolve) => {
    far.addEventListener('message', ({ data }) => {
      resolve(data);
    });
    far.start();
  });
  far.postMessage({ type: 'ready' });
  port.send({ type: 'hello', protocol: 1 });
  expect(await heard).toEqual({ type: 'ready' });
  expect(await answered).toEqual({ type: 'hello', protocol: 1 });
});

test('a port from another window, or with another message, is not taken', async () => {
  const { page, connect } = desktop();
  const asked = connect();
  page.handOver({}, PORT_MESSAGE);
  page.handOver(page, 'something else');
  let taken = false;
  void asked.then(() => {
    taken = true;
  });
  await Promise.resolve();
  expect(taken).toBe(false);
  page.handOver();
  await expect(asked).resolves.toBeDefined();
});

test('a trainer that goes closes its port with the reason', async () => {
  const { page, connect } = desktop();
  const asked = connect();
  page.handOver();
  const port = await asked;
  const closed = new Promise((resolve) => {
    port.onClose(resolve);
  });
  const reason = { code: 'worker-died', message: 'The trainer died (signal SIGKILL).' };
  page.trainerGone(reason);
  expect(await closed).toEqual(reason);
});

test('a trainer that cannot start refuses the connection with its code', async () => {
  const { page, connect } = desktop();
  const asked = connect();
  page.trainerGone({ code: 'engine-unavailable', message: 'No engine loads.' });
  await expect(asked).rejects.toMatchObject({ code: 'engine-unavailable', message: 'No engine loads.' });
});
