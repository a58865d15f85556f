import { readdirSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { TRAINER_PATH } from '../src-shared/protocol/shell';
import type { CampaignFigures, CampaignOptions } from './campaign';
import { signal, waitFor, type Family } from './family';
import { addressOf, FOREVER_MS, Ground, names, ROLES, stackTrace } from './lives';
import { Page } from './page';
import { Random } from './random';

/**
 * Opens connections that misuse the browser shell and never close of their own accord, in waves. In the middle of every wave a page
 * is served and greeted. Afterwards the shell holds few of them, and ends on one signal while many are open.
 */

const WAVES = { short: 2, full: 200 };
const SOCKETS_A_WAVE = { short: 60, full: 100 };
const SOCKETS_AT_THE_END = 300;
/** Strangers, let-in connections of the last waves, pages, and what Node itself opens. */
const MOST_SOCKETS = 400;
const DRIBBLE_MS = 50;
const STREAM = 3;

interface Target {
  readonly host: string;
  readonly port: number;
  /** With the question mark. */
  readonly token: string;
}

/** What a connection sends at once, and what it sends bit by bit from then on. */
interface Misuse {
  readonly first: string | Uint8Array;
  readonly dribble?: string;
  /** Takes nothing of what it is sent. */
  readonly deaf?: boolean;
}

const upgrade = ({ host }: Target, query: string, version = '13'): string =>
  [
    `GET ${TRAINER_PATH}${query} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Version: ${version}`,
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n');

const MISUSES: Readonly<Record<string, (target: Target, random: Random) => Misuse>> = {
  silent: () => ({ first: '' }),
  'refused upgrade': (target) => ({ first: upgrade(target, '') }),
  'refused upgrade that goes on sending': (target) => ({ first: upgrade(target, '?token=no'), dribble: 'x' }),
  'upgrade elsewhere': (target) => ({ first: upgrade(target, target.token).replace(TRAINER_PATH, '/no') }),
  'upgrade of another version': (target) => ({ first: upgrade(target, target.token, '7') }),
  'half a handshake': (target) => ({ first: upgrade(target, target.token).trimEnd() }),
  'handshake and then nothing': (target) => ({ first: upgrade(target, target.token), deaf: true }),
  'handshake and then noise': (target, random) => ({
    first: Buffer.concat([Buffer.from(upgrade(target, target.token)), random.bytes(200)]),
  }),
  'slow header': ({ host }) => ({ first: `GET / HTTP/1.1\r\nHost: ${host}\r\n`, dribble: 'X-A: b\r\n' }),
  'slow body': ({ host }) => ({
    first: `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\n`,
    dribble: 'x',
  }),
  'slow body with the token': ({ host, token }) => ({
    first: `GET /${token} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\n`,
    dribble: 'x',
  }),
  'many requests and no reading': ({ host, token }) => ({
    first: `GET /index.html${token} HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(50),
    deaf: true,
  }),
  noise: (_, random) => ({ first: random.bytes(500) }),
  'a TLS greeting': () => ({ first: Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3) }),
};

export async function run({ size, seed, say }: CampaignOptions): Promise<CampaignFigures> {
  const random = new Random(seed, STREAM);
  const ground = new Ground();
  const family = ground.startShell('node out/main/browser.js');
  const tried: Record<string, number> = {};
  const lost: string[] = [];
  const open: Socket[] = [];
  const openMany = async (target: Target, count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      const kind = random.pick(Object.keys(MISUSES));
      tried[kind] = (tried[kind] ?? 0) + 1;
      const misuse = MISUSES[kind]?.(target, random);
      if (misuse !== undefined) open.push(await openOne(target, misuse));
    }
  };
  try {
    const address = await addressOf(family);
    if (address === undefined) throw new Error(`The shell never was ready: ${family.stderr}`);
    const { host, port, search } = new URL(address);
    const target: Target = { host, port: Number(port), token: search };
    for (let wave = 0; wave < WAVES[size]; wave += 1) {
      await openMany(target, SOCKETS_A_WAVE[size]);
      const what = await person(address);
      if (what !== undefined) lost.push(`Wave ${String(wave)}: ${what}`);
      // Two waves are open at a time, so that new ones meet old ones.
      for (const socket of open.splice(0, Math.max(0, open.length - SOCKETS_A_WAVE[size]))) socket.destroy();
      const held = socketsOf(family);
      if (held > MOST_SOCKETS) lost.push(`Wave ${String(wave)}: the shell holds ${String(held)} sockets.`);
      if (wave % 10 === 9)
        say(`${String(wave + 1)} of ${String(WAVES[size])} waves, ${String(lost.length)} lost`);
    }
    await openMany(target, SOCKETS_AT_THE_END);
    lost.push(...(await end(family)));
  } finally {
    for (const socket of open) socket.destroy();
    family.killAll();
    ground.remove();
  }
  return { name: 'sockets', tried, lost };
}

async function openOne({ port }: Target, { first, dribble, deaf }: Misuse): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  // A connection that is cut off is what it has asked for.
  socket.on('error', () => undefined);
  await once(socket, 'connect').catch(() => undefined);
  if (deaf === true) socket.pause();
  else socket.resume();
  if (first.length > 0) socket.write(first);
  if (dribble !== undefined) {
    const timer = setInterval(() => socket.write(dribble), DRIBBLE_MS);
    socket.once('close', () => {
      clearInterval(timer);
    });
  }
  return socket;
}

/** What a person misses who opens the page now. */
async function person(address: string): Promise<string | undefined> {
  const response = await fetch(address, { redirect: 'manual' }).catch((error: unknown) => String(error));
  if (typeof response === 'string') return `the page was not served: ${response}.`;
  await response.arrayBuffer();
  // 303: it is sent on to the clean address.
  if (response.status !== 200 && response.status !== 303)
    return `the page answered ${String(response.status)}.`;
  const page = new Page(address);
  const ready = await page.greeted(FOREVER_MS);
  page.close();
  return ready === undefined ? 'a page was not greeted.' : undefined;
}

/** How many sockets the shell holds; 0 where the system does not tell. */
function socketsOf(family: Family): number {
  if (process.platform !== 'linux') return 0;
  const folder = `/proc/${String(family.pid)}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

async function end(family: Family): Promise<string[]> {
  const lost: string[] = [];
  if (family.find(ROLES.trainer) === undefined) lost.push('The trainer was gone at the end.');
  signal(family.pid, 'SIGTERM');
  const left = await family.left(FOREVER_MS);
  if (left.length > 0) lost.push(`Left for ever after SIGTERM: ${names(left)}.`);
  await waitFor(() => family.hasEnded, FOREVER_MS);
  const { exitCode } = family.process;
  if (exitCode !== 0) lost.push(`SIGTERM ended the shell with exit code ${String(exitCode)}.`);
  const trace = stackTrace(family);
  if (trace !== undefined) lost.push(`A stack trace was printed: ${trace}`);
  return lost;
}
