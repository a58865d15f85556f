import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import { inbox } from '../worker-host/testing/inbox';
import { SocketPort } from './socket-port';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

async function connect(
  options: ClientOptions = {},
  pingEveryMs?: number,
): Promise<{ port: SocketPort; client: WebSocket }> {
  const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket],
    unknown,
  ];
  return { port: new SocketPort(socket, pingEveryMs), client };
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
