import {
  DEFAULT_TRAINER_OPTIONS,
  type Attach,
  type TrainerOptions,
} from '../../src-shared/protocol/host-messages';
import type { SupervisedProcess } from '../worker-host/supervisor';
import { PARENT_VARIABLE } from '../parent';
import type { ElectronLike, PortLike } from './electron-like';

/** A trainer in a utility process of Electron's; each client talks to it over a port of its own. */
export interface UtilityTrainer extends SupervisedProcess {
  attach(port: PortLike): void;
}

export function forkUtilityTrainer(
  { utilityProcess }: Pick<ElectronLike, 'utilityProcess'>,
  script: string,
  killHard: (pid: number) => void,
  options: TrainerOptions = DEFAULT_TRAINER_OPTIONS,
): UtilityTrainer {
  const child = utilityProcess.fork(script, [JSON.stringify(options)], {
    serviceName: 'Gradscope trainer',
    // On Linux it is the child of another process of Electron's, and no port tells that this one has gone.
    env: { ...process.env, [PARENT_VARIABLE]: String(process.pid) },
  });
  return {
    attach: (port) => {
      child.postMessage({ type: 'attach' } satisfies Attach, [port]);
    },
    onExit: (receiver) => {
      // Electron tells a code and no signal.
      child.once('exit', (code) => {
        receiver({ code, signal: null });
      });
    },
    requestEnd: () => {
      // There is no channel to close: Electron's own way to ask is SIGTERM.
      child.kill();
    },
    kill: (signal) => {
      if (signal === 'SIGTERM') child.kill();
      else if (child.pid !== undefined) killHard(child.pid);
    },
  };
}
