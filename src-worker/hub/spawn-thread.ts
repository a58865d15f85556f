import { MessageChannel, Worker } from 'node:worker_threads';
import { describeSystemError } from '../../src-shared/text/system-error';
import { MailboxSender, sharedCounter } from '../training/mailbox';
import type { ThreadCommand, ThreadMessage, ThreadStart } from '../training/thread-messages';
import type { ThreadEvents, TrainingThread } from './hub';

/** A thread that does not reach a gate in this time is ended where it is. */
const PATIENCE_MS = 1000;

/** Starts the training thread. @param script its built entry */
export function spawnThread(
  script: URL,
  dataFolder: string | null,
  firstRunId: number,
  events: ThreadEvents,
): TrainingThread {
  const { port1: near, port2: far } = new MessageChannel();
  const posted = sharedCounter();
  const start: ThreadStart = { port: far, posted, dataFolder, firstRunId };
  const worker = new Worker(script, { workerData: start, transferList: [far], name: 'training' });
  const mailbox = new MailboxSender<ThreadCommand>(near, posted);
  let why = 'it ended by itself.';
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      near.close();
      resolve();
      events.died(why);
    });
  });
  worker.on('error', (error) => {
    const refused = describeSystemError(error);
    why = refused ?? (error instanceof Error ? error.message : String(error));
    if (refused === undefined) console.error(error);
  });
  near.on('message', (message: ThreadMessage) => {
    events.message(message);
  });
  return {
    post: (command, transfer) => {
      mailbox.post(command, transfer);
    },
    close: async () => {
      mailbox.post({ type: 'close' });
      const timer = setTimeout(() => void worker.terminate(), PATIENCE_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}
