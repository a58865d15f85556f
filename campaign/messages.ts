import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import { decodeTrainerMessage } from '../src-shared/protocol/decode';
import { relayToHostSchema } from '../src-shared/protocol/host-messages';
import type { TrainerMessage } from '../src-shared/protocol/messages';
import {
  type ElectronMessagePort,
  type ElectronParentPort,
  listenToElectron,
} from '../src-worker/hub/electron-port';
import { Hub } from '../src-worker/hub/hub';
import { spawnThread } from '../src-worker/hub/spawn-thread';
import type { Campaign } from './campaign';
import { bearable, falseHello, fatal, type Hostile } from './hostile-messages';
import { Random } from './random';

const built = (file: string): string => fileURLToPath(new URL(`../out/main/${file}`, import.meta.url));
/** Nothing that is answered at all takes so long, on any machine. */
const PATIENCE_MS = 120_000;

/** One client's end of a connection. */
interface Link {
  /** Whether the transport took it: after the end of the connection it takes nothing. */
  send(data: unknown): boolean;
  /** Resolves when the trainer has closed it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** A real trainer behind one kind of transport. */
interface Target {
  readonly name: string;
  /** Whether objects can be sent as they are. */
  readonly objects: boolean;
  open(hear: (raw: unknown) => void): Promise<Link>;
  /** Ends it. @throws Error when it had ended before */
  end(): Promise<void>;
}

/** The browser shell, over real sockets. */
async function sockets(): Promise<Target> {
  const shell = spawn(process.execPath, [built('browser.js'), '--no-open', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // It ends when this process does, however that ends.
    env: { ...process.env, GRADSCOPE_PARENT: String(process.pid) },
  });
  const exited = once(shell, 'exit');
  const ended = exited.then(() => Promise.reject(new Error('The shell ended before it said its address.')));
  const [line] = (await Promise.race([once(shell.stdout, 'data'), ended])) as [Buffer];
  ended.catch(() => undefined);
  const address = /http:\S+/.exec(line.toString())?.[0];
  if (address === undefined) throw new Error('The shell has not said its address.');
  const url = address.replace(/^http/, 'ws').replace('/?', '/trainer?');
  return {
    name: 'socket',
    objects: false,
    open: async (hear) => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      // What a failed connection means is said by its close.
      socket.on('error', () => undefined);
      const closed = once(socket, 'close').then(() => undefined);
      socket.on('message', (data: Buffer, isBinary) => {
        hear(isBinary ? new Uint8Array(data) : data.toString());
      });
      await Promise.race([
        once(socket, 'open'),
        closed.then(() => Promise.reject(new Error('No connection.'))),
      ]);
      return {
        closed,
        send: (data) => {
          const isOpen = socket.readyState === WebSocket.OPEN;
          if (isOpen) socket.send(data as string | Uint8Array);
          return isOpen;
        },
        close: () => {
          socket.close();
        },
      };
    },
    end: async () => {
      if (shell.exitCode !== null || shell.signalCode !== null) throw new Error('The shell had ended.');
      shell.kill('SIGTERM');
      await exited;
    },
  };
}

/** The trainer process, over the channel that a shell forks it with. */
function relay(): Target {
  const child = fork(built('worker.js'), [], { serialization: 'advanced', execArgv: [] });
  const exited = once(child, 'exit');
  const clients = new Map<number, { hear: (raw: unknown) => void; end: () => void }>();
  let next = 0;
  child.on('message', (raw) => {
    const message = relayToHostSchema.parse(raw);
    const client = clients.get(message.client);
    if (message.event === 'message') client?.hear(message.data);
    if (message.event === 'close') client?.end();
  });
  return {
    name: 'relay',
    objects: true,
    open: (hear) => {
      const client = (next += 1);
      const closed = new Promise<void>((resolve) => {
        clients.set(client, { hear, end: resolve });
      });
      child.send({ client, event: 'open' });
      return Promise.resolve({
        closed,
        send: (data) => {
          // What send() returns is whether the channel is full, not whether it took the message.
          if (child.connected) child.send({ client, event: 'message', data: cloneable(data) });
          return child.connected;
        },
        close: () => {
          clients.delete(client);
          child.send({ client, event: 'close' });
        },
      });
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('The trainer had ended.');
      child.disconnect();
      await exited;
    },
  };
}

/** What the fork's channel can carry: a list that only says how long it is would be written out. */
const cloneable = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && 'items' in data ? { type: 'watch', items: null } : data;

/** The hub and its thread, over message ports as in the desktop. */
function messagePorts(): Target {
  let died: string | undefined;
  const hub = new Hub({
    config: DEFAULT_RUN_CONFIG,
    version: 'campaign',
    wallClock: () => Date.now(),
    spawnThread: (firstRunId, events) =>
      spawnThread(pathToFileURL(built('training-thread.js')), null, firstRunId, {
        message: (message) => {
          events.message(message);
        },
        died: (why) => {
          died = why;
          events.died(why);
        },
      }),
  });
  let attach: (port: ElectronMessagePort) => void = () => undefined;
  const parent: ElectronParentPort = {
    on: (_event, listener) => {
      attach = (port) => {
        listener({ data: { type: 'attach' }, ports: [port] });
      };
    },
  };
  listenToElectron(parent, (port) => {
    hub.addClient(port);
  });
  return {
    name: 'message port',
    objects: true,
    open: (hear) => {
      const { port1: near, port2: far } = new MessageChannel();
      near.on('message', hear);
      const closed = once(near, 'close').then(() => undefined);
      attach({
        postMessage: (message) => {
          far.postMessage(message);
        },
        on: (event: 'message' | 'close', listener: (event: { readonly data: unknown }) => void) =>
          event === 'message'
            ? far.on('message', (data: unknown) => {
                listener({ data });
              })
            : far.on('close', () => {
                listener({ data: undefined });
              }),
        start: () => {
          far.start();
        },
        close: () => {
          far.close();
        },
      });
      return Promise.resolve({
        closed,
        send: (data) => {
          near.postMessage(data);
          return true;
        },
        close: () => {
          near.close();
        },
      });
    },
    end: async () => {
      if (died !== undefined) throw new Error(`The training thread had died: ${died}`);
      await hub.close();
    },
  };
}

type Status = Extract<TrainerMessage, { type: 'status' }>;
type Reply = Extract<TrainerMessage, { type: 'reply' }>;

/** A page that wants nothing but its run. */
class Healthy {
  private status: Status | undefined;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private look: () => void = () => undefined;
  private link: Link | undefined;
  private ids = 0;

  async connect(target: Target): Promise<void> {
    let ready: () => void = () => undefined;
    const greeted = new Promise<void>((resolve) => (ready = resolve));
    this.link = await target.open((raw) => {
      const { message } = decodeTrainerMessage(raw);
      if (message.type === 'ready') ready();
      if (message.type === 'status') this.status = message;
      if (message.type === 'reply') this.waiting.get(message.id)?.(message);
      this.look();
    });
    this.link.send(JSON.stringify({ type: 'hello', protocol: 1 }));
    await soon(Promise.race([greeted, this.lost()]), 'a greeting');
  }

  async ask(method: string, params: object = {}): Promise<Reply> {
    const id = (this.ids += 1);
    const answered = new Promise<Reply>((resolve) => this.waiting.set(id, resolve));
    this.link?.send(JSON.stringify({ type: 'request', id, method, params }));
    const reply = await soon(Promise.race([answered, this.lost()]), `an answer to ${method}`);
    this.waiting.delete(id);
    if (reply.error !== null) throw new Error(`${method} was refused: ${reply.error.message}`);
    return reply;
  }

  /** Begins the one run that is compared. */
  async begin(steps: number): Promise<void> {
    const config = { ...DEFAULT_RUN_CONFIG, engine: 'simd', stopAtStep: steps, epochs: 1000 };
    const { result } = await this.ask('restart', { config, weightsFile: null });
    if (this.status?.runId !== result['runId']) this.status = undefined;
    await this.ask('play');
  }

  get finished(): boolean {
    return this.status?.state === 'finished';
  }

  /** SHA-256 of the weights at the end of the run. */
  async end(): Promise<string> {
    const over = (async () => {
      while (!this.finished) await new Promise<void>((resolve) => (this.look = resolve));
    })();
    await soon(Promise.race([over, this.lost()]), 'the end of the run');
    return String((await this.ask('saveWeights')).result['weightsSha256']);
  }

  private async lost(): Promise<never> {
    await this.link?.closed;
    throw new Error('The healthy client was sent away.');
  }
}

async function soon<T>(event: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`There was not ${what} within ${String(PATIENCE_MS / 1000)} s.`));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Amount {
  readonly rounds: number;
  readonly clients: number;
  readonly messages: number;
}

/**
 * Of each target: rounds, clients in each, and the messages of seven of eight clients; the others send one. In full that is 1.3
 * million, of which some find their connection closed.
 */
const AMOUNTS: Readonly<Record<'short' | 'full', Readonly<Record<string, Amount>>>> = {
  short: {
    socket: { rounds: 1, clients: 8, messages: 40 },
    relay: { rounds: 1, clients: 8, messages: 40 },
    'message port': { rounds: 1, clients: 8, messages: 40 },
  },
  full: {
    socket: { rounds: 100, clients: 40, messages: 128 },
    relay: { rounds: 100, clients: 40, messages: 128 },
    'message port': { rounds: 100, clients: 40, messages: 128 },
  },
};
const FULL_MESSAGES = 1_000_000;
const STEPS = { short: 30, full: 300 };

/** One client that sends what is refused, and at last what ends its connection. */
async function attack(
  target: Target,
  random: Random,
  messages: number,
  count: (hostile: Hostile) => void,
): Promise<void> {
  const link = await target.open(() => undefined);
  const send = (hostile: Hostile): void => {
    if (link.send(hostile.data)) count(hostile);
  };
  if (random.below(8) === 0) send(falseHello(random));
  else {
    link.send(JSON.stringify({ type: 'hello', protocol: 1 }));
    for (let i = 1; i < messages; i += 1) send(bearable(random));
    send(fatal(random, target.objects));
  }
  await soon(link.closed, 'an end of the connection of a client that sent what is malformed');
}

/** Tries hostile messages on every transport, with a client beside them whose run must not notice. */
export const run: Campaign = async ({ size, seed, say }) => {
  const tried: Record<string, number> = {};
  const lost: string[] = [];
  const targets = [sockets, () => Promise.resolve(relay()), () => Promise.resolve(messagePorts())];
  for (const [stream, start] of targets.entries()) {
    const target = await start();
    const { rounds, clients, messages: each } = AMOUNTS[size][target.name]!;
    const where = `with seed ${String(seed)} over ${target.name}`;
    const random = new Random(seed, stream);
    const healthy = new Healthy();
    try {
      await healthy.connect(target);
      await healthy.begin(STEPS[size]);
      const undisturbed = await healthy.end();
      await healthy.begin(STEPS[size]);
      for (let round = 0; round < rounds; round += 1) {
        const attacks = Array.from({ length: clients }, () =>
          attack(target, random, each, ({ kind }) => {
            const name = `${target.name}: ${kind}`;
            tried[name] = (tried[name] ?? 0) + 1;
          }),
        );
        // Heard from the beginning, so that none is unhandled when the healthy client fails first.
        const settled = Promise.allSettled(attacks);
        await healthy.ask('saveWeights');
        for (const { reason } of (await settled).filter((each) => each.status === 'rejected')) {
          lost.push(`Round ${String(round)} ${where}: ${String(reason)}`);
        }
        await healthy.ask('saveWeights');
        if (!healthy.finished && round < rounds - 1) continue;
        const disturbed = await healthy.end();
        if (disturbed !== undisturbed)
          lost.push(`Round ${String(round)} ${where}: the run has other weights.`);
        if (round < rounds - 1) await healthy.begin(STEPS[size]);
      }
      say(`${target.name}: ${String(rounds * clients)} clients were sent away`);
    } catch (error) {
      lost.push(`The healthy client ${where}: ${String(error)}`);
    }
    await target.end().catch((error: unknown) => lost.push(`${where}: ${String(error)}`));
  }
  const sent = Object.values(tried).reduce((sum, count) => sum + count, 0);
  if (size === 'full' && lost.length === 0 && sent < FULL_MESSAGES)
    lost.push(`Only ${String(sent)} of ${String(FULL_MESSAGES)} messages were sent.`);
  return { name: 'messages', tried, lost };
};
