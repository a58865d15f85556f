import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket as RealWebSocket, WebSocketServer, type WebSocket as Accepted } from 'ws';
import { encodeEnvelope } from '../../src-shared/protocol/envelope';
import type { Port } from '../../src-shared/protocol/port';
import { CLOSE_NUMBERS } from '../../src-shared/protocol/shell';
import { openWebSocketPort } from './websocket-port';

/** Node 20 has no WebSocket of its own; that of ws speaks the same interface over a real socket. */
class PageWebSocket extends RealWebSocket {
  constructor(address: string) {
    super(address);
    // A browser's WebSocket does not throw when it fails and nobody listens for errors.
    this.on('error', () => undefined);
  }
}

let server: WebSocketServer;
let address: string;
const ports: Port[] = [];

beforeEach(async () => {
  vi.stubGlobal('WebSocket', PageWebSocket);
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server should listen on a port.');
  address = `ws://127.0.0.1:${String(bound.port)}/trainer`;
});

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllGlobals();
});

async function join(): Promise<{ port: Port; far: Accepted }> {
  const accepted = new Promise<Accepted>((resolve) => server.once('connection', resolve));
  const port = await openWebSocketPort(address);
  ports.push(port);
  return { port, far: await accepted };
}

const received = (port: Port, count: number): Promise<unknown[]> =>
  new Promise((resolve) => {
    const messages: unknown[] = [];
    port.onMessage((message) => {
      messages.push(message);
      if (messages.length === count) resolve(messages);
    });
  });

test('text and bytes come as they are, in their order', async () => {
  const { port, far } = await join();
  const envelope = encodeEnvelope({ type: 'frame' }, new Uint8Array([1, 2, 3, 4]));
  const heard = received(port, 3);
  far.send(JSON.stringify({ type: 'first' }));
  far.send(envelope);
  far.send('not JSON');
  expect(await heard).toEqual(['{"type":"first"}', envelope, 'not JSON']);
});

test('what the page sends arrives as it was when it was sent', async () => {
  const { port, far } = await join();
  const heard = new Promise<[string, Buffer]>((resolve) => {
    const texts: string[] = [];
    far.on('message', (data: Buffer, isBinary) => {
      if (isBinary) resolve([texts[0] ?? '', data]);
      else texts.push(data.toString());
    });
  });
  const bytes = new Uint8Array([7, 8, 9]);
  port.send({ type: 'hello', protocol: 1 });
  port.send(bytes);
  bytes.fill(0);
  const [text, data] = await heard;
  expect(JSON.parse(text)).toEqual({ type: 'hello', protocol: 1 });
  expect([...data]).toEqual([7, 8, 9]);
});

test.each([
  ['a refusal', CLOSE_NUMBERS.refused, 'wrong-protocol', 'wrong-protocol'],
  ['a shell that stops', CLOSE_NUMBERS.shellStopped, 'closed', 'connection-lost'],
  ['a message that was too large', CLOSE_NUMBERS.tooLarge, '', 'message-too-large'],
  ['a dead trainer', CLOSE_NUMBERS.failed, 'worker-died', 'worker-died'],
])('%s closes the port once, with its code', async (_what, number, reason, code) => {
  const { port, far } = await join();
  const closed = new Promise<{ code: string }>((resolve) => port.onClose(resolve));
  far.close(number, reason);
  expect((await closed).code).toBe(code);
});

test('a connection that breaks without a word is lost', async () => {
  const { port, far } = await join();
  const closed = new Promise<{ code: string }>((resolve) => port.onClose(resolve));
  far.terminate();
  expect((await closed).code).toBe('connection-lost');
  expect(() => {
    port.send({ type: 'hello' });
  }, 'sending to a closed port does nothing').not.toThrow();
});

test('where nobody listens there is no port', async () => {
  await new Promise((resolve) => server.close(resolve));
  await expect(openWebSocketPort(address)).rejects.toMatchObject({ code: 'connection-lost' });
});
