import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  DEFAULT_TRAINER_OPTIONS,
  type RelayToTrainer,
  type TrainerOptions,
} from '../../src-shared/protocol/host-messages';
import type { ProcessExit, SupervisedProcess } from './supervisor';

/** A trainer process that talks to all its clients over one channel (host-messages.ts, the relay messages). */
export interface RelayedProcess extends SupervisedProcess {
  readonly pid: number | undefined;
  send(message: RelayToTrainer): void;
  onMessage(receiver: (message: unknown) => void): void;
}

const STDERR = 2;

/** Spawns the built worker as a child process of Node. What it prints goes to stderr, so that stdout stays the shell's. */
export function forkTrainer(
  script: string,
  options: TrainerOptions = DEFAULT_TRAINER_OPTIONS,
): RelayedProcess {
  if (!existsSync(script)) return missingProgram(script);
  const child = fork(script, [JSON.stringify(options)], {
    serialization: 'advanced',
    stdio: ['ignore', STDERR, STDERR, 'ipc'],
    // A debugger port given to the shell would be taken twice.
    execArgv: [],
  });
  return {
    pid: child.pid,
    send: (message) => {
      // A channel that has gone is told by the exit that follows, so a failed send needs no word of its own.
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage: (receiver) => {
      child.on('message', receiver);
    },
    onExit: (receiver) => {
      let exit: ProcessExit | undefined;
      let settled = false;
      // Both: what the process said last may still be in the channel when it has gone. ('close' would say the same, but
      // does not come after a disconnect by the parent: nodejs/node#19433.)
      const settleIfOver = (): void => {
        if (settled || exit === undefined || child.connected) return;
        settled = true;
        receiver(exit);
      };
      child.once('exit', (code, signal) => {
        exit = { code, signal };
        settleIfOver();
      });
      child.once('disconnect', settleIfOver);
      child.on('error', (error) => {
        if (child.pid !== undefined || settled) return;
        settled = true;
        receiver({ code: null, signal: null, error: error.message });
      });
    },
    requestEnd: () => {
      if (child.connected) child.disconnect();
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** A process that never started, in place of the stack trace that Node prints for a program that is not there. */
const missingProgram = (script: string): RelayedProcess => ({
  pid: undefined,
  send: () => undefined,
  onMessage: () => undefined,
  onExit: (receiver) => {
    queueMicrotask(() => {
      receiver({ code: null, signal: null, error: `${script} is missing; npm start builds it again` });
    });
  },
  requestEnd: () => undefined,
  kill: () => undefined,
});
