import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { inbox } from '../worker-host/testing/inbox';
import { SocketPort } from './socket-port';

let server: WebSocketServer;
beforeEach(async () => {
  // As the shell's: ws knows closeTimeout, its types do not.
  const options: ServerOptions & { closeTimeout: number } = {
    host: '127.0.0.1',
    port: 0,
    closeTimeout: 1000,
  };
  server = new WebSocketServer(options);
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

/** Of that long a head and an empty payload. */
function envelope(headBytes: number): Uint8Array {
  const bytes = new Uint8Array(8 + headBytes);
  new DataView(bytes.buffer).setUint32(4, headBytes, true);
  return bytes;
}

async function connect(
  options: ClientOptions = {},
  pingEveryMs?: number,
): Promise<{ port: SocketPort; client: WebSocket }> {
  const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
  const [[socket, request]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    unknown,
  ];
  return { port: new SocketPort(socket, request.socket, pingEveryMs), client };
}

describe('SocketPort', () => {
  // Catches: a page behind a broken tunnel that is taken for a page that is still looking, and holds stepping back.
  it('gives up a client that no longer answers, and keeps one that does', async () => {
    const silent = await connect({ autoPong: false }, 20);
    expect(await inbox(silent.port).closed).toEqual({
      code: 'connection-lost',
      message: 'The page no longer answers.',
    });
    const { port, client } = await connect({}, 20);
    await once(client, 'ping');
    await once(client, 'ping');
    await once(client, 'ping');
    const messages = inbox(port);
    client.send('{"type":"still here"}');
    expect(await messages.next()).toBe('{"type":"still here"}');
  });

  // Catches: a page on a slow line that is cut off while it takes a large answer, as its pong is behind that.
  it('keeps a client that answers no ping as long as it takes what it is sent', async () => {
    const { port, client } = await connect({ autoPong: false }, 20);
    const bytes = new Uint8Array(64 * 1024);
    port.onSent(() => {
      setImmediate(() => {
        port.send(bytes);
      });
    });
    port.send(bytes);
    for (let pings = 0; pings < 5; pings += 1) await once(client, 'ping');
    expect(client.readyState).toBe(WebSocket.OPEN);
  });

  // Catches: pieces of a large message in another order, or lost.
  it('sends a large message whole', async () => {
    const { port, client } = await connect();
    const bytes = new Uint8Array(3 * 1024 * 1024 + 5).map((_, i) => i % 251);
    const heard = once(client, 'message');
    port.send(bytes);
    port.send({ type: 'next' });
    expect(Buffer.compare(((await heard) as [Buffer])[0], bytes)).toBe(0);
  });

  // Catches: texts that hold the trainer for seconds.
  it.each([
    ['a text', 'x'.repeat(8 * 1024 * 1024 + 1), 'The JSON of a message may have 8388608 bytes'],
    ['a head of an envelope', envelope(8 * 1024 * 1024 + 1), 'The JSON of a message may have 8388608 bytes'],
  ])('refuses %s that is too long, unread', async (_what, raw, sentence) => {
    const { port, client } = await connect();
    const messages = inbox(port);
    const goodbye = new Promise<string>((resolve) => {
      client.once('message', (data: Buffer) => {
        resolve(data.toString());
      });
    });
    client.send('{"type":"hello"}');
    client.send(raw);
    expect(await messages.next()).toBe('{"type":"hello"}');
    expect((await messages.closed).code).toBe('message-too-large');
    expect(await goodbye).toContain(sentence);
    await expect(messages.next()).rejects.toThrow('The port closed');
  });

  it('refuses a first message that is more than hello', async () => {
    for (const raw of ['x'.repeat(64 * 1024 + 1), new Uint8Array(64 * 1024 + 1)]) {
      const { port, client } = await connect();
      const messages = inbox(port);
      client.send(raw);
      expect(await messages.closed).toMatchObject({ code: 'message-too-large' });
      await expect(messages.next()).rejects.toThrow('The first message may have 65536 bytes');
    }
  });

  // Catches: a shell that reads 64 MiB of whoever has not said hello.
  it('does not wait for the end of a first message that is too long', async () => {
    const { port, client } = await connect();
    const closed = inbox(port).closed;
    client.send('x'.repeat(32 * 1024), { fin: false });
    client.send('x'.repeat(40 * 1024), { fin: false });
    expect(await once(client, 'close')).toEqual([1009, Buffer.from('message-too-large')]);
    expect(await closed).toMatchObject({ code: 'message-too-large' });
  });

  // Catches: bytes that change after they were handed over, as the caller goes on using its buffer.
  it('sends what the bytes were when they were sent', async () => {
    const { port, client } = await connect();
    const bytes = Uint8Array.of(1, 2, 3);
    const heard = once(client, 'message');
    port.send(bytes);
    bytes.fill(9);
    expect([...((await heard) as [Buffer])[0]]).toEqual([1, 2, 3]);
  });

  // Catches: two goodbyes, or one that comes after the connection has closed.
  it('says goodbye once', async () => {
    const { port, client } = await connect();
    const heard: unknown[] = [];
    client.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString())));
    const goodbye = { type: 'goodbye', code: 'bad-dataset', message: 'No.' };
    port.send(goodbye);
    port.close({ code: 'bad-dataset', message: 'No.' });
    port.close({ code: 'internal', message: 'Again.' });
    const [number, reason] = (await once(client, 'close')) as [number, Buffer];
    expect(heard).toEqual([goodbye]);
    expect([number, reason.toString()]).toEqual([1011, 'bad-dataset']);
    expect(await inbox(port).closed).toEqual({ code: 'bad-dataset', message: 'No.' });
  });

  // Catches: a reason for the trainer that blames the page when the page simply went.
  it('tells a page that closed from a connection that broke', async () => {
    const closed = await connect();
    closed.client.close(1000);
    expect((await inbox(closed.port).closed).code).toBe('closed');
    const broken = await connect();
    broken.client.terminate();
    expect((await inbox(broken.port).closed).code).toBe('connection-lost');
  });
});
