import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer, connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { MAX_MESSAGE_BYTES } from '../../src-shared/protocol/limits';
import { TRAINER_PATH } from '../../src-shared/protocol/shell';
import { PageFiles } from '../page/page-files';
import { forkTrainer } from '../worker-host/forked-trainer';
import { RelayHost } from '../worker-host/relay-host';
import { Supervisor } from '../worker-host/supervisor';
import { startBrowserShell, type BrowserShell } from './shell';

const TRAINER = fileURLToPath(new URL('../worker-host/testing/fake-trainer.cjs', import.meta.url));
const text = (content: string, type: string): { type: string; bytes: Uint8Array<ArrayBuffer> } => ({
  type,
  bytes: new TextEncoder().encode(content),
});
const page = new PageFiles(
  new Map([
    ['/index.html', text('<!doctype html>', 'text/html; charset=utf-8')],
    ['/assets/index-1234.js', text('export {};', 'text/javascript; charset=utf-8')],
  ]),
);

const newHost = (): RelayHost => new RelayHost(new Supervisor({ spawn: () => forkTrainer(TRAINER) }));

let shell: BrowserShell;
let token: string;
let base: string;
beforeEach(async () => {
  shell = await startBrowserShell(page, newHost(), 0);
  token = new URL(shell.server.address).searchParams.get('token') ?? '';
  base = `http://127.0.0.1:${String(shell.server.port)}`;
});
afterEach(async () => {
  await shell.close();
});

interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

/** Sends exactly this path and these headers, as fetch() would not. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port: shell.server.port, path, headers, method, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  };
}

const cookieOf = (answer: Answer): string => {
  const [cookie] = [answer.headers['set-cookie']].flat();
  return cookie?.split(';')[0] ?? '';
};

/** What a browser has after it opened the printed address. */
const newCookie = async (): Promise<string> => cookieOf(await ask(`/?token=${token}`));

/** Sends these bytes and hears all of the answer. */
async function askRaw(bytes: string): Promise<string> {
  const socket = connect(shell.server.port, '127.0.0.1');
  socket.write(bytes);
  let heard = '';
  for await (const chunk of socket) heard += String(chunk);
  return heard;
}

const policyHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

describe('the page', () => {
  // Catches: a page that loads and whose scripts then do not; a reload or a second tab that is turned away.
  it('comes with the token, and everything after it with the cookie', async () => {
    for (const path of ['/', '/index.html']) {
      const first = await ask(`${path}?token=${token}`);
      expect([first.status, first.headers['location']]).toEqual([303, path]);
      const cookie = cookieOf(first);
      expect((await ask('/assets/index-1234.js', { cookie })).body).toBe('export {};');
      expect((await ask(path, { cookie })).status).toBe(200);
      expect((await ask(`/?token=${token}`, { cookie })).status).toBe(303);
    }
    // A program needs no cookie.
    expect((await ask(`/assets/index-1234.js?token=${token}`)).body).toBe('export {};');
  });

  // Catches: a token that goes on to the address bar, the cookie or the words of an answer.
  it('says the token to nobody', async () => {
    for (const path of ['/', '/index.html', '/nothing', '/assets/index-1234.js']) {
      const answer = await ask(`${path}?x=1&token=${token}&code=2`);
      expect(JSON.stringify(answer)).not.toContain(token);
      if (answer.status === 303) expect(answer.headers['location']).toBe(`${path}?x=1`);
    }
  });

  // Catches: a code that opens a second time, for a second browser; a reload of it that is turned away; one spent by a look.
  it('comes once with a one-time code, and again with the cookie that it was exchanged for', async () => {
    const path = shell.server.newBrowserAddress().slice(base.length);
    expect(path).toMatch(/^\/\?code=[\w-]{22,}$/);
    expect(path).not.toContain(token);
    const looked = await ask(path, {}, 'HEAD');
    expect([looked.status, looked.headers['set-cookie']]).toEqual([303, undefined]);

    const first = await ask(path);
    expect([first.status, first.headers['location']]).toEqual([303, '/']);
    const cookie = cookieOf(first);
    expect(cookie).not.toContain(new URL(path, base).searchParams.get('code'));
    expect((await ask('/', { cookie })).status).toBe(200);

    const again = await ask(path, { cookie });
    expect([again.status, again.headers['location'], again.headers['set-cookie']]).toEqual([
      303,
      '/',
      undefined,
    ]);
    expect((await ask(path)).status).toBe(401);
    expect(shell.server.newBrowserAddress()).not.toBe(base + path);
  });

  // Catches: a code that opens the trainer's socket or another part, where nothing spends it.
  it('takes a code at its own address only', async () => {
    const query = new URL(shell.server.newBrowserAddress()).search;
    expect((await ask(`/assets/index-1234.js${query}`)).status).toBe(401);
    expect(await new Client({}, query).refused()).toBe(401);
    expect((await ask(`/${query}`)).status).toBe(303);
  });

  // Catches: two shells, or tunnels to two of them, that overwrite each other's cookie.
  it('names the cookie after the port that the browser sees', async () => {
    const there = await ask(`/?token=${token}`, { host: 'localhost:9' });
    expect(cookieOf(there)).toMatch(/^gradscope-9=/);
    expect(await newCookie()).toMatch(new RegExp(`^gradscope-${String(shell.server.port)}=`));
  });

  // Catches: what the browser tells every server of this machine, used as the token.
  it('takes no cookie for the token', async () => {
    const [, secret = ''] = (await newCookie()).split('=');
    expect((await ask(`/?token=${secret}`)).status).toBe(401);
    expect(await new Client({}, `?token=${secret}`).refused()).toBe(401);
  });

  // Catches: a link on another site that finds the page closed, as the browser keeps the cookie back at first.
  it('has the browser ask again when another site sent it', async () => {
    const sent = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    const answer = await ask('/', sent);
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('<meta http-equiv="refresh" content="0;url=/">');
    expect(answer.headers).toMatchObject(policyHeaders);
    const cookie = await newCookie();
    expect((await ask('/', { ...sent, 'sec-fetch-site': 'same-origin', cookie })).status).toBe(200);
    expect((await ask('/', { ...sent, 'sec-fetch-site': 'same-origin' })).body).not.toContain('<');
    expect((await ask('/', { 'sec-fetch-site': 'same-site', cookie })).status).toBe(403);
  });

  // Catches: the page, or any part of it, given to whoever finds the port.
  it('is 401 without the token and with a wrong one', async () => {
    for (const path of [
      '/',
      '/?token=',
      '/?token=wrong',
      '/assets/index-1234.js',
      '/nothing',
      TRAINER_PATH,
    ]) {
      const answer = await ask(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.body).toContain('token');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  // Catches: DNS rebinding, and requests sent by a foreign page.
  it('is 403 under a foreign Host or from a foreign Origin, whatever the token', async () => {
    expect(
      (await ask(`/?token=${token}`, { host: `evil.example:${String(shell.server.port)}` })).status,
    ).toBe(403);
    expect((await ask(`/?token=${token}`, { origin: 'http://evil.example' })).status).toBe(403);
    // A tunnel's other port and name are let in.
    expect((await ask(`/?token=${token}`, { host: 'localhost:9' })).status).toBe(303);
    expect(
      (await ask(`/?token=${token}`, { host: 'localhost:9', origin: 'http://localhost:9' })).status,
    ).toBe(303);
  });

  // Catches: any file of the disk served.
  it('is 404 for everything that is not a part of it', async () => {
    for (const path of [
      '/../package.json',
      '/assets/../../../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '//etc/passwd',
      '/etc/passwd',
      '/assets',
      '/assets/',
      '/index.html/',
      '/__proto__',
      'http://evil.example/',
    ]) {
      const answer = await ask(`${path}?token=${token}`);
      expect([path, answer.status]).toEqual([path, 404]);
    }
  });

  // Catches: a method that reads as GET although it should not be there.
  it('answers GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
      const answer = await ask(`/?token=${token}`, {}, method);
      expect([method, answer.status]).toEqual([method, 405]);
      expect(answer.headers['allow']).toBe('GET, HEAD');
    }
    const head = await ask('/', { cookie: await newCookie() }, 'HEAD');
    expect([head.status, head.body]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
  });

  // Catches: a content policy that lets in what did not come with the page.
  it('comes under a strict content policy', async () => {
    const { headers } = await ask('/', { cookie: await newCookie() });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${String(shell.server.port)}`);
    expect(policy).not.toContain('unsafe');
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'");
    expect(headers).toMatchObject(policyHeaders);
  });

  // Catches: an answer that a browser may keep, sniff, frame or take words from: each way of refusing has code of its own.
  it('and every other answer has the headers of the policy', async () => {
    const { port } = shell.server;
    const to = (path: string, more = ''): string =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${String(port)}\r\n${more}\r\n`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
    const close = 'Connection: close\r\n';
    for (const [status, bytes] of [
      [303, to(`/?token=${token}`)],
      [200, to(`/assets/index-1234.js?token=${token}`, close)],
      [401, to('/')],
      [403, 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
      [404, to(`/nothing?token=${token}`)],
      [404, to(`/${'long'.repeat(1000)}?token=${token}`)],
      [405, `POST /?token=${token} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`],
      [400, 'nonsense\r\n\r\n'],
      [403, 'GET / HTTP/1.1\r\n\r\n'],
      [431, to('/', `X: ${'x'.repeat(20_000)}\r\n`)],
      [417, to('/', 'Expect: miracles\r\n')],
      [417, to('/', 'Expect: 100-continue\r\nContent-Length: 10\r\n')],
      [401, to(TRAINER_PATH, upgrade)],
      [404, to(`/elsewhere?token=${token}`, upgrade)],
      [400, to(`${TRAINER_PATH}?token=${token}`, upgrade)],
    ] as const) {
      const [head = '', body = ''] = (await askRaw(bytes)).split('\r\n\r\n');
      expect(body.length).toBeLessThan(300);
      const [first = '', ...lines] = head.toLowerCase().split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']),
      );
      expect([bytes, first.split(' ')[1]]).toEqual([bytes, String(status)]);
      expect(headers, bytes).toMatchObject(policyHeaders);
      expect(headers['content-security-policy'], bytes).toContain("default-src 'none'");
    }
  });

  // Catches: a listener on every interface of the machine.
  it('listens on loopback only', () => {
    expect(shell.server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22,}$/);
  });

  // Catches: a raw socket that sends nonsense, which must not end the shell.
  it('lives on after a broken request', async () => {
    const socket = connect(shell.server.port, '127.0.0.1');
    socket.end('\u0000\u0001 nonsense\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect((await ask(`/?token=${token}`)).status).toBe(303);
  });

  // Catches: a stack trace, or a shell without a port, where the port is taken.
  it('refuses a port that is in use with a code and one sentence', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const host = newHost();
    await expect(startBrowserShell(page, host, port)).rejects.toMatchObject({
      code: 'port-in-use',
      message: `Port ${String(port)} is in use; choose another with --port, or 0 for any free one.`,
    });
    await host.stop();
    taken.close();
  });
});

/** A client with what it hears, in order. */
class Client {
  readonly socket: WebSocket;
  readonly closed: Promise<{ number: number; reason: string }>;
  private readonly heard: unknown[] = [];
  private readonly askers: ((message: unknown) => void)[] = [];

  constructor(options: ClientOptions = {}, query = `?token=${token}`) {
    this.socket = new WebSocket(
      `ws://127.0.0.1:${String(shell.server.port)}${TRAINER_PATH}${query}`,
      options,
    );
    this.socket.on('message', (data: Buffer, isBinary) => {
      const message: unknown = isBinary ? Uint8Array.from(data) : JSON.parse(data.toString());
      const asker = this.askers.shift();
      if (asker === undefined) this.heard.push(message);
      else asker(message);
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (number: number, reason: Buffer) => {
        resolve({ number, reason: reason.toString() });
      });
    });
  }

  next(): Promise<unknown> {
    return this.heard.length > 0
      ? Promise.resolve(this.heard.shift())
      : new Promise((resolve) => {
          this.askers.push(resolve);
        });
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Status with which the server turned it away. */
  async refused(): Promise<number> {
    const [, response] = (await once(this.socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    this.socket.terminate();
    return response.statusCode;
  }
}

/** A connection that was let in, without a WebSocket library at its end. */
async function rawSocket(): Promise<Socket> {
  const sent = request({
    port: shell.server.port,
    host: '127.0.0.1',
    path: `${TRAINER_PATH}?token=${token}`,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    },
  });
  sent.end();
  const [, socket] = (await once(sent, 'upgrade')) as [unknown, Socket];
  return socket;
}

/** A client whose trainer has said that it is there. */
async function newClient(options: ClientOptions = {}): Promise<{ client: Client; pid: number }> {
  const client = new Client(options);
  const opened = (await client.next()) as { type: string; pid: number };
  expect(opened.type).toBe('opened');
  return { client, pid: opened.pid };
}

describe('the WebSocket', () => {
  // Catches: a socket that anybody on the machine, or any page, can open.
  it('is refused without the token (401), from a foreign origin and under a foreign name (403), elsewhere (404)', async () => {
    expect(await new Client({}, '').refused()).toBe(401);
    expect(await new Client({}, '?token=wrong').refused()).toBe(401);
    expect(await new Client({ origin: 'http://evil.example' }).refused()).toBe(403);
    expect(await new Client({ headers: { host: 'evil.example' } }).refused()).toBe(403);
    expect(await new Client({}, `/elsewhere?token=${token}`).refused()).toBe(404);
  });

  // Catches: a page whose cookie does not open its socket; a cookie that opens it for another page.
  it('is opened by the cookie from the page itself', async () => {
    const cookie = await newCookie();
    const client = new Client({ headers: { cookie }, origin: base }, '');
    expect(await client.next()).toMatchObject({ type: 'opened' });
    expect(await new Client({ headers: { cookie } }, '').refused()).toBe(403);
    expect(await new Client({ headers: { cookie }, origin: 'http://localhost:1' }, '').refused()).toBe(403);
  });

  // Catches: messages of two pages mixed up; bytes changed on the way.
  it('carries JSON and bytes for two clients of one trainer', async () => {
    const [first, second] = [await newClient(), await newClient()];
    expect(second.pid).toBe(first.pid);
    first.client.say({ type: 'hello', n: 1 });
    second.client.socket.send(Uint8Array.of(7, 8, 9));
    expect(await first.client.next()).toEqual({ type: 'hello', n: 1 });
    expect(await second.client.next()).toEqual(Uint8Array.of(7, 8, 9));
  });

  // Catches: a page that reloads and stays a client for ever.
  it('tells the trainer that a page has gone', async () => {
    const [first, second] = [await newClient(), await newClient()];
    first.client.socket.close(1000);
    expect(await second.client.next()).toMatchObject({ type: 'left' });
  });

  // Catches: text that is no JSON read by the shell, or ending anything but that one connection.
  it('closes a client that sends text that is not JSON, and the trainer lives on', async () => {
    const [first, second] = [await newClient(), await newClient()];
    first.client.socket.send('{');
    expect(await first.client.next()).toMatchObject({ type: 'goodbye', code: 'malformed-message' });
    expect(await first.client.closed).toEqual({ number: 1008, reason: 'malformed-message' });
    expect((await newClient()).pid).toBe(second.pid);
  });

  // Catches: memory at the mercy of whoever is connected.
  it('closes a client whose message is too large with 1009, and the trainer lives on', async () => {
    const witness = await newClient();
    // The head of a masked binary frame says how long it is; the shell must not wait for the rest.
    const head = Buffer.alloc(14);
    head.set([0x82, 0xff]);
    head.writeBigUInt64BE(BigInt(MAX_MESSAGE_BYTES + 1), 2);
    const socket = await rawSocket();
    socket.write(head);
    const heard: Buffer[] = [];
    for await (const chunk of socket) heard.push(chunk as Buffer);
    const bytes = Buffer.concat(heard);
    const closeFrame = bytes.subarray(bytes.lastIndexOf(0x88));
    expect(closeFrame.readUInt16BE(2)).toBe(1009);
    expect(await witness.client.next()).toMatchObject({ type: 'left' });
    expect((await newClient()).pid).toBe(witness.pid);
  });

  // Catches: a refusal by the trainer whose code or sentence gets lost on the way to the page.
  it('hands on why the trainer closed a client', async () => {
    const { client } = await newClient();
    client.say({ type: 'close', code: 'wrong-protocol', message: 'No.' });
    expect(await client.next()).toEqual({ type: 'goodbye', code: 'wrong-protocol', message: 'No.' });
    expect(await client.closed).toEqual({ number: 1008, reason: 'wrong-protocol' });
  });

  // Catches: a dead trainer that pages go on waiting for, a silent respawn, or a Restart that finds no trainer.
  it('names to every page what ended the trainer, and starts a fresh one for the next connection', async () => {
    const [first, second] = [await newClient(), await newClient()];
    first.client.say({ type: 'kill', signal: 'SIGKILL' });
    for (const { client } of [first, second]) {
      expect(await client.next()).toEqual({
        type: 'goodbye',
        code: 'worker-died',
        message:
          'The trainer process was ended by SIGKILL, as the system does when the machine has no memory left.',
      });
      expect(await client.closed).toEqual({ number: 1011, reason: 'worker-died' });
    }
    expect((await newClient()).pid).not.toBe(first.pid);
  });

  // Catches: a page that takes nothing any more and fills the memory of the shell.
  it('lets go of a client that stops reading', async () => {
    const { client } = await newClient();
    const second = await newClient();
    client.say({ type: 'flood', bytes: 1 << 20, count: 100 });
    client.socket.pause();
    expect(await second.client.next()).toMatchObject({ type: 'left' });
    client.socket.terminate();
  });

  // Catches: a shell that hangs on its way out, or leaves a page in the dark about it.
  it('says goodbye when the shell closes, and leaves no trainer behind', async () => {
    const { client, pid } = await newClient();
    await shell.close();
    expect(await client.next()).toMatchObject({ type: 'goodbye', code: 'closed' });
    expect((await client.closed).number).toBe(1001);
    expect(() => process.kill(pid, 0)).toThrow();
    shell = await startBrowserShell(page, newHost(), 0);
  });
});
