import { workerData } from 'node:worker_threads';
import { openDataset } from './data/dataset';
import { openEngine } from './engine';
import { packageVersion } from './hub/process-options';
import { EngineChoices } from './training/engine-choice';
import { EngineTables, engineTableFolder } from './training/engine-tables';
import { describeMachine } from './training/machine';
import { SharedMailbox } from './training/mailbox';
import type { ThreadCommand, ThreadStart } from './training/thread-messages';
import { Trainer } from './training/trainer';

/** Entry of the training thread: joins the trainer to the hub's end of the port, and runs until it is told to close. */
const { port, posted, dataFolder, firstRunId } = workerData as ThreadStart;

const now = (): number => performance.now();
const tables = new EngineTables(engineTableFolder(), (sentence) => {
  console.error(sentence);
});
const machine = describeMachine(packageVersion(import.meta.url), process.env);

await new Trainer({
  mailbox: new SharedMailbox<ThreadCommand>(port, posted),
  send: (message, transfer = []) => {
    port.postMessage(message, transfer);
  },
  openDataset: () => openDataset(dataFolder === null ? process.env : { GRADSCOPE_DATA: dataFolder }),
  engines: new EngineChoices({ openEngine, tables, machine, now }),
  firstRunId,
  now,
  wallClock: () => performance.timeOrigin + performance.now(),
}).main();
port.close();
