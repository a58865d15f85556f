import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Port } from '../../src-shared/protocol/port';
import { forkTrainer, type RelayedProcess } from './forked-trainer';
import { RelayHost } from './relay-host';
import { Supervisor } from './supervisor';
import { inbox, type Inbox } from './testing/inbox';

const SCRIPT = fileURLToPath(new URL('./testing/fake-trainer.cjs', import.meta.url));

const hosts: RelayHost[] = [];
function newHost(): { host: RelayHost; spawned: RelayedProcess[] } {
  const spawned: RelayedProcess[] = [];
  const supervisor = new Supervisor({
    spawn: () => {
      const process = forkTrainer(SCRIPT);
      spawned.push(process);
      return process;
    },
  });
  const host = new RelayHost(supervisor);
  hosts.push(host);
  return { host, spawned };
}
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

async function opened(port: Port): Promise<{ messages: Inbox; pid: number }> {
  const messages = inbox(port);
  const first = (await messages.next()) as { type: string; pid: number };
  expect(first.type).toBe('opened');
  return { messages, pid: first.pid };
}

describe('RelayHost', () => {
  // Catches: clients' messages mixed up on the shared channel.
  it('keeps two clients of one process apart, text and bytes', async () => {
    const { host, spawned } = newHost();
    const [a, b] = [host.connect(), host.connect()];
    const [first, second] = [await opened(a), await opened(b)];
    expect(second.pid).toBe(first.pid);
    expect(spawned).toHaveLength(1);
    a.send({ type: 'hello', from: 'a' });
    b.send(Uint8Array.of(1, 2, 3));
    expect(await first.messages.next()).toEqual({ type: 'hello', from: 'a' });
    expect(await second.messages.next()).toEqual(Uint8Array.of(1, 2, 3));
  });

  // Catches: a page that closes and is never forgotten by the trainer, which then trains for nobody's credit.
  it('tells the trainer when a client closes, and settles that client once', async () => {
    const { host } = newHost();
    const [a, b] = [host.connect(), host.connect()];
    await opened(a);
    const { messages } = await opened(b);
    const reasons: unknown[] = [];
    a.onClose((reason) => reasons.push(reason));
    a.close();
    a.close();
    expect(await messages.next()).toEqual({ type: 'left', client: 0 });
    expect(reasons).toHaveLength(1);
  });

  // Catches: a refused client left hanging, or a refusal that loses its code on the way.
  it('closes the client that the trainer closes, with its code, and no other', async () => {
    const { host } = newHost();
    const [a, b] = [host.connect(), host.connect()];
    const first = await opened(a);
    const second = await opened(b);
    a.send({ type: 'close', code: 'malformed-message', message: 'No.' });
    expect(await first.messages.closed).toEqual({ code: 'malformed-message', message: 'No.' });
    b.send({ type: 'still here' });
    expect(await second.messages.next()).toEqual({ type: 'still here' });
  });

  // Catches: the last message before an exit lost; the exit code not named; a page left on a dead connection.
  it('delivers last words, then names the exit code to every client', async () => {
    const { host } = newHost();
    const [a, b] = [host.connect(), host.connect()];
    const first = await opened(a);
    const second = await opened(b);
    a.send({ type: 'exit', code: 3 });
    expect(await first.messages.next()).toEqual({ type: 'last words' });
    const reason = { code: 'worker-died', message: 'The trainer process ended with exit code 3.' };
    expect(await first.messages.closed).toEqual(reason);
    expect(await second.messages.closed).toEqual(reason);
  });

  // Catches: a crash reported as a plain exit, a silent restart, or a client that can never come back.
  it('names the signal, spawns nothing on its own, and spawns afresh for the next client', async () => {
    const { host, spawned } = newHost();
    const a = host.connect();
    const first = await opened(a);
    a.send({ type: 'kill', signal: 'SIGKILL' });
    expect(await first.messages.closed).toEqual({
      code: 'worker-died',
      message:
        'The trainer process was ended by SIGKILL, as the system does when the machine has no memory left.',
    });
    expect(spawned).toHaveLength(1);
    const next = await opened(host.connect());
    expect(spawned).toHaveLength(2);
    expect(next.pid).not.toBe(first.pid);
  });

  // Catches: an exception in the shell, or a shell that goes on trusting a trainer that talks nonsense.
  it('ends a trainer whose messages it does not know', async () => {
    const { host } = newHost();
    const a = host.connect();
    const { messages } = await opened(a);
    a.send({ type: 'nonsense' });
    expect((await messages.closed).code).toBe('worker-died');
  });

  // Catches: few messages of many megabytes each that fill the memory of the trainer.
  it('says that it has enough, and that it may go on when few messages and few bytes are on their way', async () => {
    const { host } = newHost();
    const port = host.connect(true);
    const { messages } = await opened(port);
    const holds: boolean[] = [];
    port.onHold((hold) => holds.push(hold));
    const large = { type: 'echo', filling: 'x'.repeat(1024 * 1024) };
    // Few messages all the time, too many bytes with the fourth.
    for (let i = 0; i < 5; i += 1) port.send(large);
    expect(holds).toEqual([true]);
    const takes = async (count: number): Promise<void> => {
      port.send({ type: 'takes', count });
      port.send({ type: 'mark', count });
      while (((await messages.next()) as { count?: number }).count !== count);
    };
    await takes(2);
    expect(holds).toEqual([true]);
    await takes(3);
    expect(holds).toEqual([true, false]);
  });

  // Catches: closing Gradscope shown to the page as a crash; a client let in while it closes.
  it('closes clients with `closed` when it stops, and lets nobody in afterwards', async () => {
    const { host, spawned } = newHost();
    const { messages } = await opened(host.connect());
    await host.stop();
    expect((await messages.closed).code).toBe('closed');
    expect(() => host.connect()).toThrow(expect.objectContaining({ code: 'closed' }));
    expect(isAlive(spawned[0]?.pid)).toBe(false);
  });
});

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};
