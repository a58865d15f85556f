import { expect, it } from 'vitest';
import type { ThreadMessage } from '../training/thread-messages';
import { spawnThread } from './spawn-thread';

/** A thread of these few lines. */
const script = (body: string): URL => new URL(`data:text/javascript,${encodeURIComponent(body)}`);

interface Spawned {
  readonly thread: ReturnType<typeof spawnThread>;
  readonly messages: ThreadMessage[];
  readonly death: Promise<string>;
}

function spawn(body: string): Spawned {
  const messages: ThreadMessage[] = [];
  let thread: Spawned['thread'] | undefined;
  const death = new Promise<string>((resolve) => {
    thread = spawnThread(script(body), null, 1, {
      message: (message) => messages.push(message),
      died: resolve,
    });
  });
  if (thread === undefined) throw new Error('A promise runs its executor at once.');
  return { thread, messages, death };
}

it('tells why a thread died', async () => {
  const { death } = spawn('throw new RangeError("no more memory");');
  expect(await death).toBe('no more memory');
});

it('ends a thread that waits at a gate, by a command', async () => {
  const { thread, death } = spawn(`
    import { receiveMessageOnPort, workerData } from 'node:worker_threads';
    const { port, posted } = workerData;
    Atomics.wait(posted, 0, 0);
    if (receiveMessageOnPort(port).message.type !== 'close') throw new Error('not told to close');
    port.close();`);
  await thread.close();
  expect(await death).toBe('it ended by itself.');
});

it('ends a thread that never gets to a gate', async () => {
  const { thread } = spawn('for (;;);');
  await thread.close();
});
