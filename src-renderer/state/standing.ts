import type { Status } from '../../src-shared/protocol/messages';
import { fromWireNumber } from '../../src-shared/protocol/wire-number';
import type { AppState } from './store';

/** Examples in the minibatch inside whose step training stands; null when it stands nowhere inside one. */
export function examplesUnderWay(status: Status | null): number | null {
  if (status === null || status.state === 'running' || status.minibatch === null) return null;
  return status.minibatch.step > status.step ? status.minibatch.indices.length : null;
}

/** Mean loss of the minibatch inside whose step training stands, dropout on; null: it has come to none yet. */
export function lossUnderWay(status: Status | null): number | null {
  const loss = examplesUnderWay(status) === null ? null : (status?.minibatch?.loss ?? null);
  return loss === null ? null : fromWireNumber(loss);
}

/** A layer at which training stands, and which way it was gone through. */
export interface Standing {
  readonly direction: 'forward' | 'backward';
  /** Place in the network, counted from 0. */
  readonly index: number;
}

export function standingLayer({ status, plan }: Pick<AppState, 'status' | 'plan'>): Standing | null {
  if (status === null || plan === null || status.layer === null) return null;
  const index = plan.layers.findIndex(({ spec }) => spec.name === status.layer);
  if (index < 0 || (status.phase !== 'forward' && status.phase !== 'backward')) return null;
  return { direction: status.phase, index };
}
