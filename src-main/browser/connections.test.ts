import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Port } from '../../src-shared/protocol/port';
import { TRAINER_PATH } from '../../src-shared/protocol/shell';
import { PageFiles } from '../page/page-files';
import { Access } from './access';
import type { StrangerLimits } from './connections';
import { startBrowserServer, type BrowserServer } from './server';

const page = new PageFiles(
  new Map([['/index.html', { type: 'text/html', bytes: new TextEncoder().encode('<!doctype html>') }]]),
);
const access = new Access();
const LONG_MS = 600_000;
/** Nobody has to make room. */
const ROOMY: StrangerLimits = { count: 1000, toSpeakMs: LONG_MS, most: 1000, milliseconds: LONG_MS };

let server: BrowserServer | undefined;
const opened: Socket[] = [];
const clients: Port[] = [];

/** @param strangers left out: as it is shipped */
async function start(strangers?: StrangerLimits): Promise<BrowserServer> {
  clients.length = 0;
  server = await startBrowserServer({
    page,
    access,
    port: 0,
    onClient: (port) => clients.push(port),
    ...(strangers === undefined ? {} : { strangers }),
  });
  return server;
}

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await server?.close();
  server = undefined;
});

/** A connection that says only `text` and never closes of its own accord. */
async function open(to: BrowserServer, text = ''): Promise<Socket> {
  const socket = connect({ port: to.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  opened.push(socket);
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return socket;
}

const upgrade = (to: BrowserServer, query: string): string =>
  [
    `GET ${TRAINER_PATH}${query} HTTP/1.1`,
    `Host: 127.0.0.1:${String(to.port)}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');

/** Resolves when the server has cut the connection, with what it said before. */
async function heardUntilCut(socket: Socket): Promise<string> {
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  let writing: NodeJS.Timeout | undefined;
  // The server has gone altogether, not only said its last, when it takes nothing any more.
  const write = (): void => {
    writing = setInterval(() => socket.write('x'), 20);
  };
  if (socket.readableEnded) write();
  else socket.once('end', write);
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(writing);
  return heard;
}

const answers = async (to: BrowserServer): Promise<number> =>
  (await fetch(to.address, { redirect: 'manual' })).status;

describe('a connection without the token', () => {
  // Catches: refused upgrades that stay open for ever, as nobody reads what the other side still sends.
  it('is told why its upgrade is refused, and cut off although it never closes', async () => {
    const to = await start(ROOMY);
    expect(await heardUntilCut(await open(to, upgrade(to, '')))).toContain('HTTP/1.1 401');
    expect(await heardUntilCut(await open(to, upgrade(to, '?token=wrong')))).toContain('HTTP/1.1 401');
  });

  // Catches: a request that Node cuts off without a word.
  it('is told so when it asks to connect elsewhere', async () => {
    const to = await start(ROOMY);
    const text = `CONNECT example.org:80 HTTP/1.1\r\nHost: 127.0.0.1:${String(to.port)}\r\n\r\n`;
    const said = await heardUntilCut(await open(to, text));
    expect(said).toContain('HTTP/1.1 401');
    expect(said.toLowerCase()).toContain('content-security-policy');
  });

  // Catches: a shell that cannot be ended while anybody on the machine holds a connection.
  it('does not keep the server from closing, not 300 of them', async () => {
    const to = await start(ROOMY);
    for (let count = 0; count < 100; count += 1) {
      await open(to);
      await open(to, 'GET / HTTP/1.1\r\nHost:');
      await open(to, upgrade(to, ''));
    }
    await to.close();
    await expect(fetch(to.address)).rejects.toThrow();
    server = undefined;
  });

  // Catches: sockets that connect and say nothing, or half of a header, for ever.
  it('is cut off when it has not shown the token in time', async () => {
    const to = await start({ ...ROOMY, milliseconds: 50 });
    const all = [
      await open(to),
      await open(to, 'GET / HT'),
      await open(to, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '),
      await open(to, upgrade(to, '').trimEnd()),
    ];
    await Promise.all(all.map(heardUntilCut));
  });

  // Catches: a limit that locks out the person for whom the page is there.
  it('makes room for the next one when there are too many', async () => {
    const to = await start({ ...ROOMY, count: 5, toSpeakMs: 0 });
    const silent: Socket[] = [];
    for (let count = 0; count < 5; count += 1) silent.push(await open(to));
    const cut = heardUntilCut(silent[0]!);
    expect(await answers(to)).toBe(303);
    await cut;
    // The answered one is no stranger any more: one more finds room, a second one does not.
    await open(to);
    const second = heardUntilCut(silent[1]!);
    await open(to);
    await second;
    expect(silent.slice(2).map((socket) => socket.readableEnded)).toEqual([false, false, false]);
  });
});

/** Opens connections from a process of its own and says nothing on them. */
const FLOOD = `
  const { connect } = require('node:net');
  const [port, aSecond] = process.argv.slice(1).map(Number);
  const began = performance.now();
  let opened = 0;
  setInterval(() => {
    const due = (performance.now() - began) * aSecond / 1000;
    for (; opened < due; opened += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      if (opened === aSecond) process.stdout.write('flooding');
    }
  }, 5);`;

describe('a connection that comes amid a flood of strangers', () => {
  // Catches: a person whose connection is pushed out before the first byte on it was read.
  it('has time to show the token, however many come after it', async () => {
    const to = await start({ ...ROOMY, count: 5, most: 200 });
    const mine = await open(to);
    for (let count = 0; count < 150; count += 1) await open(to);
    mine.write(`GET /${new URL(to.address).search} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(await heardUntilCut(mine)).toContain('HTTP/1.1 303');
  });

  // Catches: a flood that fills the memory; one that talks, and pushes out those that are silent or the other way round.
  it('makes room for those after it once there are too many of the new, too, silent ones first', async () => {
    const to = await start({ ...ROOMY, count: 2, most: 4 });
    const speaking = await open(to, 'GET / HTTP/1.1\r\n');
    const silent = [await open(to), await open(to), await open(to)];
    const cut = heardUntilCut(silent[0]!);
    await open(to);
    await cut;
    expect([speaking, ...silent.slice(1)].map((socket) => socket.readableEnded)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('is answered amid 2,000 silent ones a second', async () => {
    const to = await start();
    const flood = spawn(process.execPath, ['-e', FLOOD, String(to.port), '2000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(flood.stdout, 'data');
      for (let asked = 0; asked < 20; asked += 1) {
        const mine = await open(to);
        mine.write(
          `GET /${new URL(to.address).search} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
        );
        expect(await heardUntilCut(mine)).toContain('HTTP/1.1 303');
      }
    } finally {
      flood.kill('SIGKILL');
    }
  });
});

describe('a connection with the token', () => {
  // Catches: pages cut off by the limits for strangers.
  it('stays, however many strangers come and go', async () => {
    // Time enough to show the token, on a busy machine too.
    const to = await start({ ...ROOMY, count: 2, toSpeakMs: 5000, most: 2, milliseconds: 5000 });
    const { host, search } = new URL(to.address);
    const socket = new WebSocket(`ws://${host}${TRAINER_PATH}${search}`);
    await once(socket, 'open');
    const strangers = [await open(to), await open(to), await open(to)];
    await Promise.all(strangers.map(heardUntilCut));
    clients[0]?.send({ type: 'hello' });
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe('{"type":"hello"}');
    socket.terminate();
  });

  // Catches: a shell that waits for a page which never answers the close.
  it('does not keep the server from closing when it answers nothing', async () => {
    const to = await start(ROOMY);
    const { search } = new URL(to.address);
    const socket = await open(to, upgrade(to, search));
    await once(socket, 'readable');
    expect(clients).toHaveLength(1);
    await to.close();
    server = undefined;
  });

  // Catches: a connection that is kept for ever after the trainer sent its page away.
  it('is cut off when it was closed and never answers', async () => {
    const to = await start(ROOMY);
    const { search } = new URL(to.address);
    const socket = await open(to, upgrade(to, search));
    await once(socket, 'readable');
    clients[0]?.close({ code: 'wrong-protocol', message: 'No.' });
    expect(await heardUntilCut(socket)).toContain('wrong-protocol');
  });
});
