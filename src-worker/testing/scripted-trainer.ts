import type { RequestName } from '../../src-shared/protocol/messages';
import { openDataset } from '../data/dataset';
import { openEngine } from '../engine';
import { EngineChoices } from '../training/engine-choice';
import { EngineTables } from '../training/engine-tables';
import type { Mailbox } from '../training/mailbox';
import type { ThreadCommand, ThreadMessage } from '../training/thread-messages';
import { Trainer } from '../training/trainer';

/** Gives the next command each time the thread would sleep, and closes it after the last. */
class Script implements Mailbox<ThreadCommand> {
  private readonly commands: ThreadCommand[];
  private waiting: ThreadCommand[] = [];

  constructor(commands: readonly ThreadCommand[]) {
    this.commands = [...commands, { type: 'close' }];
  }
  hasMail(): boolean {
    return this.waiting.length > 0;
  }
  take(): ThreadCommand | undefined {
    return this.waiting.shift();
  }
  wait(): void {
    const next = this.commands.shift();
    if (next === undefined) throw new Error('The thread sleeps though it was told to close.');
    this.waiting.push(next);
  }
}

let asked = 0;

/** A request of client 1. */
export const request = (method: RequestName, params: object = {}): ThreadCommand => ({
  type: 'request',
  client: 1,
  id: (asked += 1),
  method,
  params,
  payload: new Uint8Array(0),
});

/**
 * Runs a whole trainer on this thread over a folder of IDX files, command by command; all that it said.
 * @param clock goes on by 1 ms whenever it is looked at
 */
export async function runScript(
  dataFolder: string,
  commands: readonly ThreadCommand[],
  open: typeof openEngine = openEngine,
  tables = new EngineTables(null, () => undefined),
  clock = { ms: 0 },
): Promise<ThreadMessage[]> {
  const said: ThreadMessage[] = [];
  const now = (): number => (clock.ms += 1);
  await new Trainer({
    mailbox: new Script(commands),
    send: (message) => said.push(structuredClone(message)),
    openDataset: () => openDataset({ GRADSCOPE_DATA: dataFolder }),
    engines: new EngineChoices({ openEngine: open, tables, machine: 'this', now }),
    firstRunId: 1,
    now,
    wallClock: () => 0,
  }).main();
  return said;
}
