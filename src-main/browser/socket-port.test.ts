import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import type { WireMessage } from '../../src-shared/protocol/port';
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
): Promise<{ port: SocketPort; client: WebSocket; transport: Socket }> {
  const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
  const [[socket, request]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    unknown,
  ];
  const transport = request.socket;
  return { port: new SocketPort(socket, transport, pingEveryMs), client, transport };
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

  describe('with a client that answers no ping', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });
    const lost = { code: 'connection-lost', message: 'The page no longer answers.' };
    /** Resolves when it has been given to the system. */
    const sent = (port: SocketPort, message: WireMessage): Promise<unknown> =>
      new Promise((resolve) => {
        port.onSent(resolve);
        port.send(message);
      });

    // Catches: a broken tunnel that is not noticed, as the system goes on taking the status of each second for it.
    it('gives it up whatever little it is sent', async () => {
      const { port } = await connect({ autoPong: false }, 1000);
      const { closed } = inbox(port);
      for (let ping = 0; ping < 2; ping += 1) {
        await sent(port, { type: 'status' });
        vi.advanceTimersByTime(1000);
      }
      expect(await closed).toEqual(lost);
    });

    // Catches: a page on a slow line that is cut off while it takes a large answer, as its pong is behind that.
    it('waits for it as much longer as it is sent much', async () => {
      const { port, client } = await connect({ autoPong: false }, 1000);
      const { closed } = inbox(port);
      let pings = 0;
      const fourPings = new Promise<void>((resolve) => {
        client.on('ping', () => {
          pings += 1;
          if (pings === 4) resolve();
        });
      });
      await sent(port, new Uint8Array(3 * 1024 * 1024));
      vi.advanceTimersByTime(4000);
      await fourPings;
      vi.advanceTimersByTime(1000);
      expect(await closed).toEqual(lost);
      expect(pings).toBe(4);
    });

    // Catches: a page on a slow line that is cut off while it sends a file of weights, as its pong is behind that.
    it('keeps it as long as a message of it is on its way', async () => {
      const { port, client, transport } = await connect({ autoPong: false }, 1000);
      const { closed } = inbox(port);
      for (let ping = 0; ping < 4; ping += 1) {
        const pinged = once(client, 'ping');
        vi.advanceTimersByTime(1000);
        await pinged;
        const read = once(transport, 'data');
        client.send('x'.repeat(100), { fin: false });
        await read;
      }
      expect(client.readyState).toBe(WebSocket.OPEN);
      vi.advanceTimersByTime(2000);
      expect(await closed).toEqual(lost);
    });

    // Catches: a page that is cut off for not saying what nobody would have read.
    it('keeps it while the trainer has enough of what came from it, and has it asked anew then', async () => {
      const { port, client } = await connect({ autoPong: false }, 1000);
      const messages = inbox(port);
      vi.advanceTimersByTime(1000);
      port.hold(true);
      client.send('{"type":"held"}');
      vi.advanceTimersByTime(5000);
      port.hold(false);
      vi.advanceTimersByTime(1000);
      expect(await messages.next()).toBe('{"type":"held"}');
      vi.advanceTimersByTime(3000);
      expect(await messages.closed).toEqual(lost);
    });

    // Catches: patience for what has arrived long ago.
    it('gives it up when what it was sent has arrived and nothing comes any more', async () => {
      const { port, client, transport } = await connect({ autoPong: false }, 1000);
      const { closed } = inbox(port);
      await sent(port, new Uint8Array(3 * 1024 * 1024));
      const pinged = once(client, 'ping') as Promise<[Buffer]>;
      vi.advanceTimersByTime(1000);
      const read = once(transport, 'data');
      client.pong((await pinged)[0]);
      await read;
      vi.advanceTimersByTime(2000);
      expect(await closed).toEqual(lost);
    });
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
